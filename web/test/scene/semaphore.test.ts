import { expect, test } from "vitest";
import { QueueFull, Semaphore } from "../../src/scene/semaphore";

/** Work that is done when told. */
class Work {
  begun = false;
  finish: () => void = () => undefined;
  fail: (why: Error) => void = () => undefined;

  readonly run = (): Promise<void> => {
    this.begun = true;
    return new Promise((done, failed) => {
      this.finish = done;
      this.fail = failed;
    });
  };
}

const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

test("no more than so many are under way, in the order they came, and a failure hands its turn on", async () => {
  const turns = new Semaphore(2, 3);
  const work = Array.from({ length: 5 }, () => new Work());
  const done = work.map((each) => turns.run(each.run).catch((error: unknown) => error));
  const begun = (): boolean[] => work.map((each) => each.begun);
  await soon();
  expect(begun()).toEqual([true, true, false, false, false]);
  work[1]?.fail(new Error("torn"));
  await soon();
  expect(begun()).toEqual([true, true, true, false, false]);
  work[0]?.finish();
  work[2]?.finish();
  await soon();
  expect(begun()).toEqual([true, true, true, true, true]);
  work[3]?.finish();
  work[4]?.finish();
  await Promise.all(done);
  const last = new Work();
  void turns.run(last.run);
  await soon();
  expect(last.begun).toBe(true);
});

test("no more than so many wait: work beyond that is refused and never begins, and there is room again later", async () => {
  const turns = new Semaphore(1, 1);
  const [first, second, third, fourth] = [new Work(), new Work(), new Work(), new Work()];
  const done = [turns.run(first.run), turns.run(second.run)];
  await expect(turns.run(third.run)).rejects.toThrow(QueueFull);
  expect(third.begun).toBe(false);
  first.finish();
  await done[0];
  done.push(turns.run(fourth.run));
  second.finish();
  await done[1];
  await soon();
  expect(fourth.begun).toBe(true);
});
