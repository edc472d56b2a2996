/** Gives every failure of a store the gateway's own shape, whichever Redis command it came from. */
import { storeError } from './redis-connection.js';

/** The same store; what its methods reject with has passed through `storeError`. */
export function withStoreErrors<Store extends object>(store: Store): Store {
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const outcome: unknown = Reflect.apply(member, target, args);
        return outcome instanceof Promise ? outcome.catch(rethrow) : outcome;
      };
    },
  });
}

function rethrow(error: unknown): never {
  throw storeError(error);
}
