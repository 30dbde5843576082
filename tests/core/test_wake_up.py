"""No ringing is lost, and none is heard twice."""

from __future__ import annotations

import threading

from privet.core.wake_up import WakeUp


def test_work_that_is_brought_by_several_is_all_done() -> None:
    bell, lock, work, done = WakeUp(), threading.Lock(), list[int](), list[int]()

    def worker() -> None:
        while len(done) < 4000:
            with lock:
                done.extend(work)
                work.clear()
                if len(done) == 4000:
                    return
                bell.listen()
            bell.wait()

    def bring(numbers: range) -> None:
        for number in numbers:
            with lock:
                work.append(number)
                bell.notify()

    threads = [threading.Thread(target=bring, args=(range(first, 4000, 4),)) for first in range(4)]
    threads.append(threading.Thread(target=worker))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(done) == list(range(4000))


def test_without_a_listener_nothing_is_kept() -> None:
    bell = WakeUp()
    bell.notify()
    awaited = [bell.awaited]
    bell.listen()
    awaited.append(bell.awaited)
    bell.notify()
    bell.notify()
    awaited.append(bell.awaited)
    assert awaited == [False, True, False]
    bell.wait()                     # once; a second one would wait for ever
