// How long the page's main thread worked between one frame and the next, out of Chromium's trace.

/** Milliseconds of each frame. trace: JSON as bytes, of the categories toplevel and blink.user_timing. */
export function mainThreadWork(trace) {
  const { traceEvents } = JSON.parse(trace.toString("utf8"));
  const marks = traceEvents.filter((event) => event.name === "frame" && event.cat.includes("user_timing"));
  if (marks.length < 2) return [];
  const { pid, tid } = marks[0];
  const tasks = traceEvents
    .filter((event) => event.pid === pid && event.tid === tid && event.ph === "X" && event.cat.includes("toplevel"))
    .map((event) => [event.ts, event.ts + event.dur])
    .sort((a, b) => a[0] - b[0]);
  // Tasks lie inside one another where a loop runs in a loop: each moment counts once.
  const whole = [];
  for (const [from, to] of tasks) {
    const last = whole.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  const times = marks.map((mark) => mark.ts).sort((a, b) => a - b);
  let at = 0;
  return times.slice(1).map((end, index) => {
    const begin = times[index];
    while (at < whole.length && whole[at][1] <= begin) at++;
    let sum = 0;
    for (let next = at; next < whole.length && whole[next][0] < end; next++) {
      sum += Math.min(end, whole[next][1]) - Math.max(begin, whole[next][0]);
    }
    return sum / 1000;
  });
}
