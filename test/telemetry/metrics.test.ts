/** The metrics as they are scraped. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/telemetry/metrics.js';

describe('metrics', () => {
  it('are scraped as Prometheus text with the counts so far', async () => {
    const metrics = createMetrics({ version: '1.2.3', processMetrics: false });
    metrics.pushesAccepted.inc();
    metrics.pushesRefused.inc({ code: '2002' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('carillon_pushes_accepted_total 1\n');
    expect(text).toContain('carillon_pushes_refused_total{code="2002"} 1\n');
    expect(text).toContain(`carillon_build_info{version="1.2.3",node="${process.version}"} 1\n`);
  });

  it('read watched values at the moment of the scrape', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    let held = 3;
    metrics.watch({ heldDeliveries: () => held });
    expect(await metrics.registry.metrics()).toContain('carillon_deliveries_held 3\n');
    held = 4;
    expect(await metrics.registry.metrics()).toContain('carillon_deliveries_held 4\n');
  });

  it('leave out a value that cannot be had, and only that', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    metrics.watch({ waitingLanes: () => Promise.reject(new Error('away')), connectedTerminals: () => 2 });
    const text = await metrics.registry.metrics();
    expect(text).not.toMatch(/^carillon_lanes_waiting \d/m);
    expect(text).toContain('carillon_push_sessions 2\n');
  });

  it('are separate for every gateway in a process', async () => {
    const [first, second] = [createMetrics({ version: '1' }), createMetrics({ version: '1' })];
    first.pushesAccepted.inc();
    expect(await second.registry.metrics()).toContain('carillon_pushes_accepted_total 0\n');
  });

  it('tell of every link to a message centre', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    const idle = { underWay: 0, queued: 0, queueAgeMs: 0 };
    metrics.watchLinks(() => [
      { ...idle, name: 'away', state: 'connecting', mode: 'running' },
      { name: 'busy', state: 'bound', mode: 'paused', underWay: 10, queued: 3, queueAgeMs: 1500 },
    ]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('carillon_smpp_bound{link="away"} 0\n');
    expect(text).toContain('carillon_smpp_bound{link="busy"} 1\n');
    expect(text).toContain('carillon_smpp_held{link="away"} 0\n');
    expect(text).toContain('carillon_smpp_held{link="busy"} 1\n');
    expect(text).toContain('carillon_smpp_under_way{link="busy"} 10\n');
    expect(text).toContain('carillon_smpp_queued{link="busy"} 3\n');
    expect(text).toContain('carillon_smpp_queue_age_seconds{link="busy"} 1.5\n');
  });

  it('are all explained to operators, and no others', async () => {
    const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const explained = [...text.matchAll(/^\| `(carillon_[a-z_]+)(?:\{[a-z,]+\})?` \|/gm)].map(
      ([, name]) => name,
    );
    const metrics = createMetrics({ version: '1', processMetrics: false });
    metrics.watch(
      new Proxy({}, { get: () => () => 0 }) as Parameters<typeof metrics.watch>[0], // every gauge there is
    );
    metrics.watchLinks(() => []);
    const names = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
    expect(explained.sort()).toEqual(names.sort());
  });

  it('all carry the name of the product and a help text', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    for (const { name, help } of await metrics.registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^carillon_[a-z_]+$/);
      expect(help).not.toBe('');
    }
  });
});
