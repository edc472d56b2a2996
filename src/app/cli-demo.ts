/** `carillon demo`: the product's story in one terminal window. */
import type { CliCommand } from './cli.js';

export const demoCommand: CliCommand = {
  name: 'demo',
  summary: 'show a push reach one of three terminals, wait for it, and outlive a crash',
  run: async () => {
    const { runDemo } = await import('./demo/demo.js');
    return runDemo();
  },
};
