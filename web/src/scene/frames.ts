/** One animation frame for everything that is drawn: whoever is dirty draws once, together, when the browser is ready for it. */

const waiting = new Set<() => void>();
let asked = false;

function run(): void {
  asked = false;
  const now = [...waiting];
  waiting.clear();
  for (const draw of now) draw();
}

/** Draw in the next frame; asking again before that changes nothing. Returns how to take it back. */
export function inNextFrame(draw: () => void): () => void {
  waiting.add(draw);
  if (!asked) {
    asked = true;
    requestAnimationFrame(run);
  }
  return () => waiting.delete(draw);
}
