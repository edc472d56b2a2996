/** An activation method that leads nowhere any more. */
import { beforeEach, describe, expect, it } from 'vitest';
import { removeActivation } from '../../src/registry/activation-removal.js';
import type { ActivationMethod } from '../../src/registry/user.js';
import { BearerStage } from '../support/bearer-stage.js';

const SUBSCRIPTION: ActivationMethod = { bearer: 'web-push', address: 'https://push.test/1' };
const OTHER: ActivationMethod = { bearer: 'web-push', address: 'https://push.test/2' };

let stage: BearerStage;
beforeEach(async () => {
  stage = await BearerStage.set([{ bearer: 'sip' }, SUBSCRIPTION, OTHER]);
});

describe('a method whose address is gone', () => {
  it('is taken out, and the others stay', async () => {
    const { registry, terminal } = stage;
    expect(await removeActivation(terminal.id, SUBSCRIPTION, registry)).toBe(true);
    expect((await registry.findTerminal(terminal.id))?.activation).toEqual([{ bearer: 'sip' }, OTHER]);
    expect(await removeActivation(terminal.id, SUBSCRIPTION, registry)).toBe(false);
  });

  it('of the same address by another bearer stays', async () => {
    const { registry, terminal } = stage;
    const gone = { ...SUBSCRIPTION, bearer: 'http-callback' } as const;
    expect(await removeActivation(terminal.id, gone, registry)).toBe(false);
  });

  it('of a terminal that is gone too is no matter', async () => {
    const { registry, terminal } = stage;
    await registry.deleteTerminal(terminal.user, terminal.id);
    expect(await removeActivation(terminal.id, SUBSCRIPTION, registry)).toBe(false);
  });
});
