/** The scenes of the demonstration, in order: targeting one of three terminals, waiting for one that is away, a crash. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { papStatusText } from '../../protocols/pap/index.js';
import { randomBytes } from '../system-clock.js';
import type { DemoTerminal } from './demo-terminal.js';
import type { Narrator } from './narrator.js';
import { ALICE, PROVIDER, type Stage, TERMINALS } from './stage.js';

const POLL_MS = 20;
const PATIENCE_MS = 8000;
const CONTENT_BYTES = 24_576;
const HELD_AT_CRASH = 5;
const [PHONE] = TERMINALS;

/** A push for the user; the gateway wakes the phone alone, waits for it, delivers, tells the provider. */
export async function targetingScene(stage: Stage, narrator: Narrator): Promise<void> {
  const startMs = await stage.startGateway();
  await stage.provision();
  narrator.scene(`${ALICE} has three terminals: phone, PC and PDA. All three are registered.`);
  narrator.remark(
    `gateway: process ${stage.gateway.pid}, ready in ${startMs.toFixed(0)} ms, PAP at ${stage.papUrl}`,
  );
  const phone = await stage.terminal('phone', { manual: true });
  const [pc, pda] = [await stage.bystander('pc'), await stage.bystander('pda')];
  narrator.remark(`phone ${PHONE.instance} on UDP port ${phone.port}; PC on ${pc.port}, PDA on ${pda.port}`);

  const content = randomBytes(CONTENT_BYTES);
  const pushedAt = performance.now();
  const answer = await stage.push('mms-1', content);
  narrator.claim(`The provider pushes ${content.length} octets to ${ALICE} and names no terminal.`, {
    isTrue: answer.code === 1001,
    observed: `PAP answered ${answer.code} ${papStatusText(answer.code)} after ${since(pushedAt)}`,
  });

  await until(() => phone.heard('sir').length > 0);
  const [woken] = phone.heard('sir');
  const named = woken?.sir.devices.map(({ value }) => value) ?? [];
  narrator.claim("The gateway wakes only the phone: its SIR carries the phone's device identity.", {
    isTrue:
      named.some((value) => value.endsWith(PHONE.instance)) &&
      woken?.judgement.reason === 'leftToCaller' &&
      pc.heard('sir').length + pda.heard('sir').length === 0,
    observed: `SIR ${woken?.sir.id ?? 'none'} for ${PHONE.instance}; SIRs at the PC: ${pc.heard('sir').length}, at the PDA: ${pda.heard('sir').length}`,
  });

  const [held, state] = [await stage.admin.held(ALICE, 'phone'), await stage.stateOf('mms-1')];
  narrator.claim('The content waits until the phone connects.', {
    isTrue: held === 1 && state === 'pending' && phone.heard('content').length === 0,
    observed: `held for the phone: ${held}; PAP says ${state}; content at the phone: ${phone.heard('content').length}`,
  });

  const connectedAt = performance.now();
  await phone.connect();
  await until(() => phone.heard('content').length > 0);
  const arrival = since(connectedAt);
  const [arrived] = phone.heard('content');
  const isExact = arrived !== undefined && Buffer.compare(arrived.content.bytes, content) === 0;
  narrator.claim('The phone connects and gets the content, byte for byte.', {
    isTrue:
      isExact && arrived.content.contentType === 'application/vnd.wap.mms-message' && !arrived.isDuplicate,
    observed: `${arrived?.content.size ?? 0} octets by ${arrived?.content.via ?? '—'} ${arrival} after connecting, SHA-256 ${short(arrived?.content.sha256)} as sent (${short(sha256(content))})`,
  });

  await tellsProvider(stage, narrator, 'mms-1', arrived?.at);
  silence(narrator, stage.bystanders);
  await phone.leave();
}

/** The phone is away; the push is held and comes when the phone does. */
export async function returnScene(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.scene('The phone is switched off. The provider pushes again.');
  const content = randomBytes(CONTENT_BYTES);
  const answer = await stage.push('mms-2', content);
  const [held, state] = [await stage.admin.held(ALICE, 'phone'), await stage.stateOf('mms-2')];
  const returnedAt = performance.now();
  const phone = await stage.terminal('phone');
  await until(() => phone.heard('content').length > 0);
  const [arrived] = phone.heard('content');
  narrator.claim('A push is held while the phone is away and delivered when it returns.', {
    isTrue:
      answer.code === 1001 &&
      held === 1 &&
      state === 'pending' &&
      arrived?.content.sha256 === sha256(content) &&
      !arrived.isDuplicate,
    observed: `while away: held ${held}, PAP says ${state}; back: SIR, session and ${arrived?.content.size ?? 0} octets within ${since(returnedAt)} of switching on`,
  });
  await tellsProvider(stage, narrator, 'mms-2', arrived?.at);
  await phone.leave();
}

/** The gateway dies with pushes in hand; its successor has all of them, and the phone gets each once. */
export async function crashScene(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.scene(
    `The phone is off again. ${HELD_AT_CRASH} pushes are accepted, then the gateway is killed (kill -9).`,
  );
  const pushes = Array.from({ length: HELD_AT_CRASH }, (_, index) => ({
    id: `mms-crash-${index + 1}`,
    content: randomBytes(CONTENT_BYTES + index),
  }));
  const codes: number[] = [];
  for (const { id, content } of pushes) codes.push((await stage.push(id, content)).code);
  const { pid } = stage.gateway;
  await stage.gateway.kill();
  narrator.remark(`process ${pid} is gone; PAP answered ${codes.join(', ')} before`);

  const startMs = await stage.startGateway();
  const states = await Promise.all(pushes.map(({ id }) => stage.stateOf(id)));
  const held = await stage.admin.held(ALICE, 'phone');
  narrator.claim('A new gateway on the same data knows every push: nothing was lost.', {
    isTrue:
      codes.every((code) => code === 1001) &&
      states.every((state) => state === 'pending') &&
      held === HELD_AT_CRASH,
    observed: `process ${stage.gateway.pid}, ready in ${startMs.toFixed(0)} ms; held for the phone: ${held}; PAP says ${states.join(', ')}`,
  });

  const returnedAt = performance.now();
  const phone = await stage.terminal('phone');
  await until(() => phone.heard('content').length >= HELD_AT_CRASH);
  const arrival = since(returnedAt);
  await until(
    () => stage.results.filter(({ pushId }) => pushId.startsWith('mms-crash-')).length >= HELD_AT_CRASH,
  );
  const arrived = phone.heard('content');
  const wanted = pushes.map(({ content }) => sha256(content));
  narrator.claim('The phone returns and gets each of them, once, in order, byte for byte.', {
    isTrue:
      arrived.length === HELD_AT_CRASH &&
      arrived.every(({ content, isDuplicate }, index) => content.sha256 === wanted[index] && !isDuplicate),
    observed: `${arrived.length} arrived within ${arrival} of switching on: ${arrived.map(({ content }) => `${content.size} octets`).join(', ')}; repetitions: ${arrived.filter(({ isDuplicate }) => isDuplicate).length}`,
  });

  const told = stage.results.filter(({ pushId }) => pushId.startsWith('mms-crash-'));
  narrator.claim('The provider is told of each of them, once.', {
    isTrue:
      told.length === HELD_AT_CRASH &&
      new Set(told.map(({ pushId }) => pushId)).size === HELD_AT_CRASH &&
      told.every(({ messageState }) => messageState === 'delivered'),
    observed: `${told.length} result notifications: ${told.map(({ messageState }) => messageState).join(', ')}`,
  });
  silence(narrator, stage.bystanders);
}

async function tellsProvider(
  stage: Stage,
  narrator: Narrator,
  pushId: string,
  deliveredAt = 0,
): Promise<void> {
  const ofPush = () => stage.results.filter((result) => result.pushId === pushId);
  await until(() => ofPush().length > 0);
  const [result] = ofPush();
  const state = await stage.stateOf(pushId);
  const delay = Date.now() - deliveredAt;
  narrator.claim('The provider is told.', {
    isTrue: result?.messageState === 'delivered' && result.code === 1000 && state === 'delivered',
    observed: `${PROVIDER} got a result notification: ${result?.messageState ?? 'none'} ${result?.code ?? ''} for ${result?.addresses.join(', ') ?? '—'}, within ${delay} ms of the delivery; a status query says ${state}`,
  });
}

function silence(narrator: Narrator, others: readonly DemoTerminal[]): void {
  const heard = others.flatMap((terminal) => terminal.disturbances);
  narrator.claim('The PC and the PDA hear nothing.', {
    isTrue: others.length === 2 && heard.length === 0,
    observed: `SIRs, sessions and content at both: ${heard.length}${heard.length === 0 ? '' : ` (${heard.map(({ kind }) => kind).join(', ')})`}`,
  });
}

/** Waits for something to come true, and gives up in the end: the claim that follows tells what was there. */
async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isTrue() && performance.now() < deadline) await pause(POLL_MS);
}

function since(start: number): string {
  return `${(performance.now() - start).toFixed(0)} ms`;
}

function sha256(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex');
}

function short(digest: string | undefined): string {
  return digest === undefined ? '—' : `${digest.slice(0, 12)}…`;
}
