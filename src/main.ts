#!/usr/bin/env node
/** Entry point: runs the command line and leaves with its status. Everything else is in `app/`. */
import { runCli } from './app/cli.js';
import { CLI_COMMANDS } from './app/cli-commands.js';
import { VERSION } from './app/version.js';

/** A command has closed what it opened when it returns; a handle that was forgotten must not keep the process. */
const FORGOTTEN_HANDLE_MS = 2000;

process.exitCode = await runCli(process.argv.slice(2), CLI_COMMANDS, { version: VERSION });
setTimeout(() => process.exit(), FORGOTTEN_HANDLE_MS).unref();
