"""Who runs what: the leader's assignment of connectors and tasks to the workers of a group. Pure.

`eager` gives everything out anew, round-robin. `cooperative` (KIP-415) leaves work where it is: it hands out what is
new, waits for workers that vanished up to `max_delay` before their work moves, and evens out loads by revoking the
surplus in one round and assigning it in the next. Same decisions as Kafka Connect's IncrementalCooperativeAssignor,
so leadership may pass between Java workers and ours. Beyond it, work of workers that announced their leave moves at
once, and a worker that comes back under its address gets its work back at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Final

from replicator.herder.loads import Loads
from replicator.herder.views import TaskId
from replicator.herder.work import NOTHING, Work, duplicated, union

_FIRST_BACKOFF_MS: Final = 1
_BACKOFF_FACTOR: Final = 40


@dataclass(frozen=True, slots=True)
class Memory:
    """What a leader remembers from one cooperative round to the next; a new leader starts with none.

    Attributes:
        generation: of the last round.
        previous: all that was given out, what is lost included.
        by_member: what each member had after the last round.
        urls: addresses of these members.
        revoked: what the last round took away.
        scheduled: time (ms) at which lost work is given out, 0 for none.
        delay: milliseconds left until then.
        candidates: members that came with nothing while work was lost; they get it.
        revoking: whether the last round took work away to even out loads.
        successive: how many rounds in a row wanted to.
    """

    generation: int = -1
    previous: Work = NOTHING
    by_member: Mapping[str, Work] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    revoked: Work = NOTHING
    scheduled: int = 0
    delay: int = 0
    candidates: frozenset[str] = frozenset()
    revoking: bool = False
    successive: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """Outcome of a round: what each member gets and gives up, and after how many ms all join again (0: no need)."""

    assigned: Mapping[str, Work]
    revoked: Mapping[str, Work]
    delay: int = 0


def eager(members: Iterable[str], configured: Work) -> Round:
    """Everything anew: connectors by name, then tasks, around the ring of members."""
    ring = cycle(sorted(members))
    connectors: dict[str, set[str]] = {member: set() for member in members}
    tasks: dict[str, set[TaskId]] = {member: set() for member in members}
    for connector in sorted(configured.connectors):
        connectors[next(ring)].add(connector)
    for task in sorted(configured.tasks):
        tasks[next(ring)].add(task)
    assigned = {m: Work(frozenset(connectors[m]), frozenset(tasks[m])) for m in connectors}
    return Round(assigned, dict.fromkeys(assigned, NOTHING))


def cooperative(
    memory: Memory,
    members: Mapping[str, Work],
    configured: Work,
    *,
    generation: int,
    last_generation: int,
    now: int,
    max_delay: int,
    departed: Iterable[str] = (),
    urls: Mapping[str, str] | None = None,
) -> tuple[Memory, Round]:
    """One incremental round.

    Args:
        memory: of the last round.
        members: what each member has now.
        configured: all that is to run.
        generation: of this round.
        last_generation: of the last round that this leader saw completed.
        now: milliseconds.
        max_delay: longest wait for a worker that vanished.
        departed: former members that announced their leave; nobody waits for them.
        urls: addresses of the members.

    Returns:
        The memory for the next round, and this round's outcome.
    """
    before = _valid(memory, members, last_generation)
    active = union(members.values())
    deleted = before.previous - configured
    lost = before.previous - active - deleted
    created = configured - before.previous - active
    surplus = deleted | duplicated(members.values())
    revoked = {member: has & surplus for member, has in members.items()}
    loads = Loads({member: has - surplus for member, has in members.items()})

    still_lost = lost - _give_back(before, lost, loads, urls or {})
    waiting, to_assign = _lost(before, still_lost, loads, now, max_delay, frozenset(departed))
    if waiting.delay == 0:
        taken = loads.surplus(configured)
        held = any(part & members[member] for member, part in taken.items())
        waiting = _revoke_or_wait(waiting, now, max_delay) if held else _even(waiting)
        if waiting.delay == 0:
            for member, part in taken.items():
                loads.remove(member, part)
                revoked[member] |= part & members[member]
                # What was handed out in this very round just goes to somebody else.
                to_assign |= part - members[member]
    loads.spread(created | to_assign)

    after = loads.work()
    all_revoked = union(revoked.values())
    assigned = {member: has - (members[member] - revoked[member]) for member, has in after.items()}
    remembered = replace(
        waiting,
        generation=generation,
        previous=(union(after.values()) - all_revoked) | lost,
        by_member=(held_by := _by_member(before, after, revoked, lost)),
        urls={m: url for m, url in {**before.urls, **(urls or {})}.items() if m in held_by},
        revoked=all_revoked,
    )
    return remembered, Round(assigned, revoked, waiting.delay)


def _by_member(
    before: Memory, after: Mapping[str, Work], revoked: Mapping[str, Work], lost: Work
) -> dict[str, Work]:
    """What each member has, and what those that vanished left behind and nobody has yet."""
    waiting = lost - union(after.values())
    vanished = {m: has & waiting for m, has in before.by_member.items() if m not in after and has & waiting}
    return vanished | {member: has - revoked[member] for member, has in after.items()}


def _valid(memory: Memory, members: Mapping[str, Work], last_generation: int) -> Memory:
    """The memory, without what a round that failed to reach the members pretends."""
    if memory.generation != last_generation:
        return replace(memory, previous=NOTHING, by_member={}, urls={}, revoked=NOTHING)
    active = union(members.values())
    if memory.revoked & active:
        # The revocation did not take effect: what runs is what counts.
        return replace(memory, previous=active, revoked=NOTHING)
    return memory


def _give_back(memory: Memory, lost: Work, loads: Loads, urls: Mapping[str, str]) -> Work:
    """Work of vanished members whose address is back in the group goes to whoever has the address now."""
    members = {url: member for member, url in urls.items()}
    returned = NOTHING
    for former, has in memory.by_member.items():
        member = members.get(memory.urls.get(former, ""))
        if former not in urls and member is not None:
            part = (has & lost) - returned
            loads.add(member, part)
            returned |= part
    return returned


def _lost(
    memory: Memory, lost: Work, loads: Loads, now: int, max_delay: int, departed: frozenset[str]
) -> tuple[Memory, Work]:
    """Memory with the wait for lost work brought up to date, and the part of it to give out by load."""
    at_once = lost & union(has for member, has in memory.by_member.items() if member in departed)
    waiting = lost - at_once
    if not waiting:
        return _nothing_lost(memory, now), at_once
    missing = memory.by_member.keys() - loads.members() - departed
    if memory.scheduled <= 0 and not missing:
        return memory, lost
    if max_delay == 0:
        return memory, lost
    if 0 < memory.scheduled <= now:
        candidates = [member for member in loads.members() if member in memory.candidates]
        done = replace(_no_delay(memory), revoking=False)
        if not candidates:
            return done, lost
        loads.hand_out(candidates, waiting)
        return done, at_once
    delay = memory.scheduled - now if now < memory.scheduled else max_delay
    idle = frozenset(loads.idle())
    changed = replace(memory, delay=delay, scheduled=now + delay, candidates=memory.candidates | idle)
    return changed, at_once


def _nothing_lost(memory: Memory, now: int) -> Memory:
    """Only a wait between two rounds that take work away can still be under way."""
    if not memory.revoking:
        return _no_delay(memory)
    if memory.scheduled <= 0:
        return memory
    if memory.scheduled <= now:
        return replace(_no_delay(memory), revoking=False)
    return replace(memory, delay=memory.scheduled - now)


def _no_delay(memory: Memory) -> Memory:
    return replace(memory, scheduled=0, delay=0, candidates=frozenset())


def _even(memory: Memory) -> Memory:
    """Nothing has to move any more."""
    return replace(memory, revoking=False, successive=0) if memory.revoking else memory


def _revoke_or_wait(memory: Memory, now: int, max_delay: int) -> Memory:
    """Rounds that take work away one after the other wait longer and longer in between."""
    if not memory.revoking:
        return replace(memory, revoking=True)
    successive = memory.successive + 1
    delay = min(max_delay, _FIRST_BACKOFF_MS * _BACKOFF_FACTOR ** min(successive, 8))
    scheduled = now + delay if delay else memory.scheduled
    return replace(memory, successive=successive, delay=delay, scheduled=scheduled)
