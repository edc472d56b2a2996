/**
 * `carillon demo`: one user, three terminals, and what the gateway is for, told line by line. Every line is checked while it
 * happens; the exit status is 0 only when all of them came true. The scenes stand in `scenes.ts`.
 */
import { describeError } from '../../kernel/errors.js';
import { EXIT } from '../cli.js';
import { Narrator } from './narrator.js';
import { crashScene, returnScene, targetingScene } from './scenes.js';
import { Stage } from './stage.js';

const SCENES: readonly Scene[] = [targetingScene, returnScene, crashScene];

type Scene = (stage: Stage, narrator: Narrator) => Promise<void>;

/** Resolves with the exit status. */
export async function runDemo(
  write = (text: string) => void process.stdout.write(text),
  scenes: readonly Scene[] = SCENES,
): Promise<number> {
  const narrator = new Narrator(write);
  const stage = await Stage.prepare();
  const interrupted = interruption();
  try {
    write('Carillon: a push reaches one of three terminals, waits for it, and outlives a crash.\n');
    await Promise.race([tell(scenes, stage, narrator), interrupted.happened]);
  } catch (error) {
    narrator.claim('the story came to its end', { isTrue: false, observed: describeError(error) });
  } finally {
    await stage.close();
    interrupted.stop();
  }
  const { claims, failed, elapsedSeconds } = narrator;
  const verdict =
    failed === 0 ? `All ${claims} lines came true` : `${failed} of ${claims} lines did NOT come true`;
  write(`\n${verdict}, in ${elapsedSeconds.toFixed(1)} s.\n`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

async function tell(scenes: readonly Scene[], stage: Stage, narrator: Narrator): Promise<void> {
  for (const scene of scenes) await scene(stage, narrator);
}

/** Ctrl-C ends the story early; what was started is still put away. */
function interruption(): { readonly happened: Promise<never>; readonly stop: () => void } {
  let stop = () => {};
  const happened = new Promise<never>((_, reject) => {
    const onSignal = (signal: NodeJS.Signals) => reject(new Error(`interrupted by ${signal}`));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
    stop = () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
    };
  });
  return { happened, stop };
}
