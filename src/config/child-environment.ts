/**
 * The environment of a gateway that is started by another command: what a program needs to run, and no setting of ours that happens
 * to be in this process's environment. Settings are added by whoever starts it.
 */

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR'] as const;

export function childEnvironment(
  settings: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passedOn), ...settings };
}
