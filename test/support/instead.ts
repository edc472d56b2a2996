/** The same object with some of its methods done differently: how a test makes one step of a store fail or stall. */
export function instead<T extends object>(target: T, others: Partial<T>): T {
  return new Proxy(target, {
    get(_, property) {
      const other: unknown = Reflect.get(others, property);
      if (other !== undefined) return other;
      const own: unknown = Reflect.get(target, property, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
