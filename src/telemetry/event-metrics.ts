/** Events as metrics: which counter or histogram each event moves. The metrics themselves are in `metrics.ts`. */
import { SECOND_MS } from '../kernel/units.js';
import type { EventListener } from './events.js';
import type { Metrics } from './metrics.js';

export function countEvents(metrics: Metrics): EventListener {
  return (event) => {
    switch (event.type) {
      case 'push.accepted':
        metrics.pushesAccepted.inc();
        if (event.elapsedMs !== undefined) metrics.acceptSeconds.observe(event.elapsedMs / SECOND_MS);
        break;
      case 'push.refused':
        metrics.pushesRefused.inc({ code: event.code });
        break;
      case 'delivery.attempted':
        metrics.deliveryAttempts.inc({ bearer: event.bearer, outcome: event.outcome.kind });
        break;
      case 'delivery.settled':
        metrics.deliveriesSettled.inc({ state: event.state });
        if (event.ageMs !== undefined) metrics.deliverySeconds.observe(event.ageMs / SECOND_MS);
        break;
      case 'terminal.woken':
        metrics.wakeUps.inc({ bearer: event.bearer, outcome: event.outcome });
        break;
      case 'sms.receipt':
        metrics.smsReceived.inc({ link: event.link, kind: 'receipt', result: event.state });
        break;
      case 'sms.received':
        metrics.smsReceived.inc({ link: event.link, kind: 'message', result: event.result });
        break;
      case 'session.opened':
        metrics.sessionsOpened.inc();
        break;
      case 'result.sent':
      case 'result.delayed':
      case 'result.abandoned':
        metrics.resultNotifications.inc({ outcome: event.type.slice('result.'.length) });
        break;
      default: // told, not counted
    }
  };
}
