/**
 * Unit 24: activates the application that a SIR names, to obtain the information that is to be returned or to have it
 * register with the terminal (SIR-98, SIR-154). Before or after connecting, as the policy says (SIR-99, SIR-133).
 */
import { describeError } from '../kernel/errors.js';
import type { ReceivedSir } from './sir.js';
import type { TerminalEventFeed } from './terminal-events.js';
import type { Information, TerminalPolicy } from './terminal-options.js';

/**
 * The terminal's own information, completed and where it says more replaced by what the application gives. An application that fails is
 * reported, and the terminal speaks for itself.
 */
export async function activateApplication(
  { application }: Pick<ReceivedSir, 'application'>,
  { activate, information }: Pick<TerminalPolicy, 'activate' | 'information'>,
  events: Pick<TerminalEventFeed, 'emit'>,
): Promise<Information> {
  if (application === undefined || activate === undefined) return information;
  try {
    const given = await activate(application);
    if (given === undefined) return information;
    events.emit({ kind: 'activated', application: application.id });
    return { ...information, ...given };
  } catch (error) {
    events.emit({ kind: 'error', doing: `activating ${application.id}`, reason: describeError(error) });
    return information;
  }
}
