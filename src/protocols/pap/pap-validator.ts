/** The validity gate of PAP: our DTD of each version. */
import { createXmlValidator, type XmlValidator } from '../xml/index.js';
import type { PapVersion } from './document.js';

export type PapValidator = XmlValidator<PapVersion>;

/** `dtds` holds the text of each version's DTD, the files of `schemas/`. Free the result when it is needed no more. */
export function createPapValidator(dtds: Readonly<Record<PapVersion, string>>): PapValidator {
  return createXmlValidator(dtds);
}
