/** A folder name, good on every system, that is as near to a text as can be; such a name itself stays as it is. */
export function folderName(text: string): string {
  // With the flag u a lone surrogate is a character of its own, and none of these.
  const safe = [...text.replace(/[^\p{L}\p{M}\p{N} ._()+=,@-]/gu, '-')]
    .slice(0, 100)
    .join('')
    .replace(/^[ .]+|[ .]+$/g, '');
  // Names of devices are no folder names in Windows.
  return /^(con|prn|aux|nul|com\d|lpt\d)?(\.|$)/i.test(safe) ? `sweep-${safe}`.replace(/[-.]+$/, '') : safe;
}

/** The folder beside sweep files that holds their runs, and the name of a sweep's own run folder in it. */
export const runsFolder = '.lora-sweep';

export function runFolderName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no file name should have
  const safe = name.replace(/[\u0000-\u001f/\\:*?"<>|]/g, '-').replace(/^\.+/, '-');
  return safe || 'sweep';
}
