/** Made-up places and what moves in them, for the mock server only. Everything is a function of the camera and the time. */

export interface MockPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

function noise(x: number, y: number, seed: number): number {
  const value = Math.sin(x * 12.9898 + y * 78.233 + seed * 37.719) * 43758.5453;
  return value - Math.floor(value);
}

/** A yard at dusk: sky, a hall with gates, asphalt with painted lines, a hedge. */
export function paintPicture(seed: number, width: number, height: number): MockPicture {
  const rgb = new Uint8Array(width * height * 3);
  const horizon = height * (0.3 + 0.06 * Math.sin(seed));
  const wall = height * (0.56 + 0.05 * Math.cos(seed * 2));
  const gates = 3 + (seed % 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const grain = (noise(x, y, seed) - 0.5) * 10;
      let colour: [number, number, number];
      if (y < horizon) {
        const part = y / horizon;
        colour = [70 + 50 * part, 84 + 46 * part, 104 + 34 * part];
      } else if (y < wall) {
        const gate = ((x / width) * gates + seed * 0.13) % 1;
        const inGate = gate > 0.2 && gate < 0.8 && y > horizon + (wall - horizon) * 0.25;
        const slat = Math.floor((y - horizon) / 9) % 2 === 0 ? 6 : 0;
        colour = inGate ? [124 + slat, 120 + slat, 112 + slat] : [92, 88, 82];
        if (inGate && Math.abs(gate - 0.5) > 0.285) colour = [58, 56, 54];
      } else {
        const depth = (y - wall) / (height - wall);
        const line = Math.abs((((x - width / 2) / (0.25 + depth)) * 0.012 + seed) % 1) < 0.06;
        colour = line ? [168, 164, 150] : [74 + 18 * depth, 74 + 17 * depth, 72 + 16 * depth];
        if (x < width * (0.16 - 0.1 * depth)) colour = [52 + grain * 2, 72 + grain * 3, 48 + grain];
      }
      const at = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++)
        rgb[at + channel] = Math.max(0, Math.min(255, (colour[channel] ?? 0) + grain));
    }
  }
  return { width, height, rgb };
}

/** Somebody walks: a few blocks, one byte a block; nobody for a third of the time. */
export function coverAt(seed: number, atMs: number, columns: number, rows: number): Uint8Array {
  const blocks = new Uint8Array(columns * rows);
  const period = 24_000 + seed * 3000;
  for (const shift of [0, 0.37]) {
    const part = (((atMs + seed * 7000) / period + shift) % 1) * 1.5 - 0.25;
    if (part < -0.1 || part > 1.1 || (shift > 0 && Math.floor(atMs / period + seed) % 3 !== 0)) continue;
    const tall = Math.max(4, Math.round(rows * 0.13));
    const left = Math.round(part * columns);
    const bottom = Math.round(rows * (0.72 + 0.12 * Math.sin(part * 5 + seed)));
    for (let row = 0; row < tall; row++) {
      const half = row < tall / 4 ? 1 : row < tall * 0.7 ? 2 : 1 + (Math.floor(atMs / 400) % 2);
      for (let column = left - half; column <= left + half; column++) {
        const at = bottom - tall + row;
        if (column >= 0 && column < columns && at >= 0 && at < rows) blocks[at * columns + column] = 1;
      }
    }
  }
  return blocks;
}
