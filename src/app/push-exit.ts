/** Exit status of `carillon push`. */
export const PUSH_EXIT = { delivered: 0, refused: 1, usage: 2, timeout: 3 } as const;
