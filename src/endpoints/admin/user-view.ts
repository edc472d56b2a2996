/**
 * Users, terminals and registrations as the admin API shows them. Never shown: H(A1), which is as good as the password, and keys for SIRs, of
 * which only is told whether they are there.
 */
import type { Binding } from '../../registry/binding.js';
import type { Terminal, User, UserPolicy } from '../../registry/user.js';
import { instant } from '../http/instant.js';

export function userView(user: User) {
  return {
    user: user.id,
    aliases: user.aliases,
    ...(user.sip === undefined ? {} : { sip: { username: user.sip.username, realm: user.sip.realm } }),
    ...(user.sirKey === undefined ? {} : { hasSirKey: true }),
    policy: policyView(user.policy),
    terminals: user.terminals.map(terminalView),
  };
}

/** As a PUT takes it. */
function policyView({ target, rules }: UserPolicy) {
  return {
    ...(target === undefined ? {} : { target }),
    ...(rules === undefined
      ? {}
      : {
          rules: rules.map(({ when, set }) => ({
            ...(Object.keys(when).length === 0 ? {} : { when }),
            ...set,
          })),
        }),
  };
}

export function terminalView(terminal: Terminal) {
  const {
    user,
    name,
    id,
    identities,
    activation,
    subscriptions,
    preferences,
    sirKey,
    capabilities,
    reported,
    returned,
    origin,
  } = terminal;
  return {
    user,
    terminal: name,
    id,
    identities: identities.map(({ kind, value }) => ({ kind, value })),
    activation,
    ...(subscriptions === undefined ? {} : { subscriptions }),
    preferences,
    ...(sirKey === undefined ? {} : { hasSirKey: true }),
    capabilities,
    ...(reported === undefined ? {} : { reported: reportedView(reported) }),
    ...(returned === undefined ? {} : { returned: reportedView(returned) }),
    origin,
  };
}

function reportedView(reported: NonNullable<Terminal['reported'] | Terminal['returned']>) {
  const views = Object.entries(reported).map(([source, { at, ...report }]) => [
    source,
    { ...instant('at', at), ...report },
  ]);
  return Object.fromEntries(views) as Record<string, unknown>;
}

/** `user` tells the names of the terminals. */
export function bindingView(binding: Binding, user: User) {
  const { contact, path, instance, regId, callId, cseq, features, q, publicGruu, temporaryGruu } = binding;
  const terminal = user.terminals.find(({ id }) => id === binding.terminal);
  const { transport, address, port, node } = binding.flow;
  return {
    contact,
    ...(terminal === undefined ? {} : { terminal: terminal.name }),
    path,
    ...(instance === undefined ? {} : { instance }),
    ...(regId === undefined ? {} : { regId }),
    callId,
    cseq,
    ...instant('registeredAt', binding.registeredAt),
    ...instant('expiresAt', binding.expiresAt),
    features,
    ...(q === undefined ? {} : { q }),
    flow: { transport, address, port, node },
    ...(publicGruu === undefined ? {} : { publicGruu }),
    ...(temporaryGruu === undefined ? {} : { temporaryGruu }),
  };
}
