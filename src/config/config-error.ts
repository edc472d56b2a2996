/**
 * The configuration cannot be used. One sentence per problem, each naming the key, where its value came from and what is
 * allowed, so that the operator can mend it without reading anything else. Stops the start; never thrown later.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
