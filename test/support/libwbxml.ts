/** libwbxml's converters as referees: another implementation's reading of our WBXML, and its own encoding of our XML. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `wbxml2xml` reads, in compact XML. Rejects when it refuses the document. */
export function wbxml2xml(octets: Uint8Array): Promise<Uint8Array> {
  return convert('wbxml2xml', ['-m', '0', '-k'], octets);
}

/** What `xml2wbxml` writes without a string table, in WBXML 1.2 or 1.3. Rejects when it refuses the document. */
export function xml2wbxml(xml: Uint8Array, version: '1.2' | '1.3'): Promise<Uint8Array> {
  return convert('xml2wbxml', ['-n', '-k', '-v', version], xml);
}

async function convert(program: string, options: readonly string[], input: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-wbxml-'));
  try {
    const from = join(folder, 'input');
    const to = join(folder, 'output');
    await writeFile(from, input);
    await run(program, [...options, '-o', to, from]);
    return await readFile(to);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
