/**
 * Client capability information of OTA-HTTP (WAP-235 §8.2.3): the headers with which a terminal tells what it takes, as a report. Names
 * differ between makers, so each is read in every spelling that is known. What cannot be read is left out: a terminal that says
 * nonsense of one thing may still be right about another.
 */
import { UAPROF_LIMITS } from '../protocols/uaprof/index.js';
import type { CapabilityReport } from './stated-capabilities.js';

export interface CpiHeader {
  readonly name: string;
  readonly value: string;
}

const MAX_TAG_LENGTH = 64;

/** The report in these headers; undefined when none of them says anything. `at` in milliseconds since the epoch. */
export function cpiReport(headers: readonly CpiHeader[], at: number): CapabilityReport | undefined {
  const values = (...names: readonly string[]) =>
    headers.filter(({ name }) => names.includes(name.toLowerCase())).map(({ value }) => value.trim());
  const list = (name: string) => {
    const members = values(name)
      .flatMap((value) => value.split(','))
      .map((member) => (member.split(';', 1)[0] ?? '').trim())
      .filter((member) => member !== '' && member.length <= UAPROF_LIMITS.maxValueLength);
    return members.length === 0 ? undefined : members.slice(0, UAPROF_LIMITS.maxMembers);
  };
  const accept = list('x-wap-push-accept');
  const acceptCharset = list('x-wap-push-accept-charset');
  const acceptEncoding = list('x-wap-push-accept-encoding');
  const acceptLanguage = list('x-wap-push-accept-language');
  const applicationIds = list('x-wap-push-accept-appid');
  const [size] = values('x-wap-push-msgsize', 'x-wap-push-maxmsgsize').filter((value) =>
    /^\d{1,12}$/.test(value),
  );
  const [pushRequests] = values('x-wap-push-accept-maxpushreq').filter((value) =>
    /^[1-9]\d{0,5}$/.test(value),
  );
  const [uaProfUrl] = values('x-wap-profile', 'profile')
    .map((value) => value.replace(/^"(.*)"$/, '$1'))
    .filter((value) => /^https?:\/\/[^\s"]{1,1000}$/i.test(value));
  const [tag] = values('x-wap-cpitag').filter((value) => value !== '' && value.length <= MAX_TAG_LENGTH);
  const report: CapabilityReport = {
    at,
    ...(accept === undefined ? {} : { accept }),
    ...(acceptCharset === undefined ? {} : { acceptCharset }),
    ...(acceptEncoding === undefined ? {} : { acceptEncoding }),
    ...(acceptLanguage === undefined ? {} : { acceptLanguage }),
    ...(applicationIds === undefined ? {} : { applicationIds }),
    ...(size === undefined ? {} : { maxMessageSize: Number(size) }),
    ...(pushRequests === undefined ? {} : { maxPushRequests: Number(pushRequests) }),
    ...(uaProfUrl === undefined ? {} : { uaProfUrl }),
    ...(tag === undefined ? {} : { tag }),
  };
  return Object.keys(report).length > 1 ? report : undefined;
}
