/** Branded primitive types: a string that only its own constructor or codec may make. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
