/** The event feed and those who subscribe to it: metrics, and the window of recent events. */
import { describe, expect, it } from 'vitest';
import { countEvents } from '../../src/telemetry/event-metrics.js';
import { EventFeed, type GatewayEvent } from '../../src/telemetry/events.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { RecentEvents } from '../../src/telemetry/recent-events.js';

const told = { level: 'info', message: '' } as const;
const settled = (state: string, ageMs?: number): GatewayEvent => ({
  ...told,
  type: 'delivery.settled',
  push: 'p',
  terminal: 't',
  state,
  ...(ageMs === undefined ? {} : { ageMs }),
});

describe('the feed', () => {
  it('tells every listener every event, in order, until it unsubscribes', () => {
    const feed = new EventFeed();
    const [one, two]: [string[], string[]] = [[], []];
    const unsubscribe = feed.subscribe(({ type }) => one.push(type));
    feed.subscribe(({ type }) => two.push(type));
    feed.publish(settled('delivered'));
    unsubscribe();
    feed.publish({ ...told, type: 'session.opened', terminal: 't', session: 's' });
    expect(one).toEqual(['delivery.settled']);
    expect(two).toEqual(['delivery.settled', 'session.opened']);
  });
});

describe('metrics of events (SIR-170)', () => {
  async function scraped(...events: GatewayEvent[]): Promise<string> {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    const feed = new EventFeed();
    feed.subscribe(countEvents(metrics));
    for (const event of events) feed.publish(event);
    return metrics.registry.metrics();
  }

  it('count a push that was accepted and how long its initiator waited', async () => {
    const text = await scraped({ ...told, type: 'push.accepted', api: 'pap', code: 1001, elapsedMs: 3 });
    expect(text).toContain('carillon_pushes_accepted_total 1\n');
    expect(text).toContain('carillon_push_accept_seconds_bucket{le="0.0025"} 0\n');
    expect(text).toContain('carillon_push_accept_seconds_bucket{le="0.005"} 1\n');
  });

  it('count a push that was refused by its code', async () => {
    const text = await scraped(
      { ...told, type: 'push.refused', api: 'pap', code: 2002 },
      { ...told, type: 'push.refused', api: 'json', code: 422 },
      { ...told, type: 'push.refused', api: 'pap', code: 'none' },
    );
    for (const code of ['2002', '422', 'none']) {
      expect(text).toContain(`carillon_pushes_refused_total{code="${code}"} 1\n`);
    }
    expect(text).toContain('carillon_pushes_accepted_total 0\n');
  });

  it('count deliveries by state, and the age of those that arrived', async () => {
    const text = await scraped(settled('delivered', 700), settled('expired'), settled('expired'));
    expect(text).toContain('carillon_deliveries_settled_total{state="delivered"} 1\n');
    expect(text).toContain('carillon_deliveries_settled_total{state="expired"} 2\n');
    expect(text).toContain('carillon_delivery_seconds_count 1\n');
    expect(text).toContain('carillon_delivery_seconds_sum 0.7\n');
  });

  it('count wake-ups by bearer and outcome, sessions, and result notifications by outcome', async () => {
    const result = { ...told, push: 'p', recipient: 0, attempts: 1 };
    const text = await scraped(
      {
        ...told,
        type: 'terminal.woken',
        terminal: 't',
        bearer: 'sip',
        outcome: 'handed',
        sirId: 's',
        detail: '',
        latencyMs: 5,
      },
      { ...told, type: 'session.opened', terminal: 't', session: 's' },
      { ...result, type: 'result.delayed' },
      { ...result, type: 'result.sent' },
      { ...result, type: 'result.abandoned' },
    );
    expect(text).toContain('carillon_wake_ups_total{bearer="sip",outcome="handed"} 1\n');
    expect(text).toContain('carillon_push_sessions_opened_total 1\n');
    for (const outcome of ['delayed', 'sent', 'abandoned']) {
      expect(text).toContain(`carillon_result_notifications_total{outcome="${outcome}"} 1\n`);
    }
  });
});

describe('recent events', () => {
  function recent(size = 3) {
    const feed = new EventFeed();
    const events = new RecentEvents(feed, { now: () => 5, process: 'gw', size });
    const publish = (count: number) => {
      for (let index = 0; index < count; index += 1) feed.publish(settled('delivered'));
    };
    const idsAfter = (id: string) => {
      const { events: some, isComplete } = events.after(id);
      return { ids: some.map(({ id: one }) => one), isComplete };
    };
    return { events, publish, idsAfter };
  }

  it('are numbered and told to whoever follows, until it stops', () => {
    const { events, publish } = recent();
    const seen: string[] = [];
    const stop = events.follow(({ id, at }) => seen.push(`${id} at ${at}`));
    publish(2);
    stop();
    publish(1);
    expect(seen).toEqual(['gw.0 at 5', 'gw.1 at 5']);
  });

  it('after one that is still there are all that came later', () => {
    const { publish, idsAfter } = recent();
    publish(5);
    expect(idsAfter('gw.2')).toEqual({ ids: ['gw.3', 'gw.4'], isComplete: true });
    expect(idsAfter('gw.4')).toEqual({ ids: [], isComplete: true });
  });

  it('after the one before the oldest are complete', () => {
    const { publish, idsAfter } = recent();
    publish(5);
    expect(idsAfter('gw.1')).toEqual({ ids: ['gw.2', 'gw.3', 'gw.4'], isComplete: true });
  });

  it.each(['gw.0', 'gw.9', 'other.3', 'gw', 'gw.', 'gw.-1', 'gw.1e2', '', '3'])(
    'after %j are all that there are, and that is said',
    (id) => {
      const { publish, idsAfter } = recent();
      publish(5);
      expect(idsAfter(id)).toEqual({ ids: ['gw.2', 'gw.3', 'gw.4'], isComplete: false });
    },
  );
});
