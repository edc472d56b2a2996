/** What the rest of the process is given to tell what happens: the event feed, and beside it the log and the metrics themselves. */
import { countEvents } from './event-metrics.js';
import { EventFeed } from './events.js';
import type { Log } from './log.js';
import { createLogger, type Logger, type LoggerOptions, logOf } from './logger.js';
import { createMetrics, type Metrics } from './metrics.js';

export interface Telemetry {
  readonly logger: Logger;
  /** For what is no event: the process itself, what protocols complain of. */
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventFeed;
}

export function createTelemetry(
  options: LoggerOptions & { readonly version: string; readonly processMetrics?: boolean },
): Telemetry {
  const logger = createLogger(options);
  const log = logOf(logger);
  const metrics = createMetrics(options);
  const events = new EventFeed();
  events.subscribe(countEvents(metrics));
  events.subscribe(log);
  return { logger, log, metrics, events };
}
