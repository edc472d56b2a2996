/** The push sessions of this node: one per terminal, known to the lane before anything is sent on them. */
import { beforeEach, expect, it } from 'vitest';
import { Sessions, type TerminalSession } from '../../src/lane/sessions.js';
import { LaneStage, ScriptedConnection } from '../support/lane-stage.js';
import { PHONE } from '../support/pushes.js';

class ScriptedSession extends ScriptedConnection implements TerminalSession {
  readonly id: string;
  closedFor: string | undefined;

  constructor(id: string) {
    super('msrp');
    this.id = id;
  }

  close(reason: string): void {
    this.closedFor = reason;
    this.isOpen = false;
  }
}

let stage: LaneStage;
let sessions: Sessions;
let woken: (number | undefined)[];
beforeEach(() => {
  stage = new LaneStage();
  woken = [];
  sessions = new Sessions({
    store: stage.store,
    node: 'here',
    wakeLane: (_terminal, dueAt) => woken.push(dueAt),
  });
});

const known = async () => (await stage.store.view(PHONE)).connections.session?.id;

it('a session that opens is known to the lane and runs it when something is held', async () => {
  stage.hold(['e1']);
  await sessions.opened(PHONE, new ScriptedSession('one'));
  expect(await known()).toBe('one');
  expect(woken).toEqual([stage.clock.now()]);
});

it('a session that opens brings the alarm of a waiting lane forward', async () => {
  stage.hold(['e1']);
  await stage.run(); // sends a SIR
  await sessions.opened(PHONE, new ScriptedSession('one'));
  expect(woken).toEqual([stage.clock.now() + 60_000]);
});

it('nothing is run for a session when nothing is held', async () => {
  await sessions.opened(PHONE, new ScriptedSession('one'));
  expect(woken).toEqual([]);
});

it('a newer session takes the place of the older, which is closed', async () => {
  const older = new ScriptedSession('older');
  const newer = new ScriptedSession('newer');
  await sessions.opened(PHONE, older);
  await sessions.opened(PHONE, newer);
  expect(older.closedFor).toBeDefined();
  expect(sessions.session(PHONE)).toBe(newer);
  expect(sessions.size).toBe(1);
});

it('the end of an older session does not disturb the newer one', async () => {
  const older = new ScriptedSession('older');
  const newer = new ScriptedSession('newer');
  await sessions.opened(PHONE, older);
  await sessions.opened(PHONE, newer);
  await sessions.closed(PHONE, older);
  expect(sessions.session(PHONE)).toBe(newer);
  expect(await known()).toBe('newer');
});

it('a session that ends is forgotten here and in the lane, as often as it is said', async () => {
  const session = new ScriptedSession('one');
  await sessions.opened(PHONE, session);
  await sessions.closed(PHONE, session);
  await sessions.closed(PHONE, session);
  expect(sessions.session(PHONE)).toBeUndefined();
  expect(await known()).toBeUndefined();
});

it('at the end of the process every session is closed', async () => {
  const session = new ScriptedSession('one');
  await sessions.opened(PHONE, session);
  sessions.closeAll('the gateway is stopping');
  expect(session.closedFor).toBe('the gateway is stopping');
});
