/** The widths of a TrueType font's characters, read from its tables `cmap` (format 4) and `hmtx`. */

/** Width in thousandths of the font size by code point, to the nearest; characters that the font does not have are left out. */
export function fontWidths(font: Buffer, codePoints: Iterable<number>): Map<number, number> {
  const table = (tag: string): number => {
    for (let k = 0; k < font.readUInt16BE(4); k++) {
      const entry = 12 + 16 * k;
      if (font.toString('latin1', entry, entry + 4) === tag) return font.readUInt32BE(entry + 8);
    }
    throw new Error(`The font has no table ${tag}.`);
  };
  const unitsPerEm = font.readUInt16BE(table('head') + 18);
  const metrics = font.readUInt16BE(table('hhea') + 34);
  const hmtx = table('hmtx');
  const glyphOf = characterMap(font, table('cmap'));
  const widths = new Map<number, number>();
  for (const point of codePoints) {
    const glyph = glyphOf(point);
    if (glyph === 0) continue;
    const advance = font.readUInt16BE(hmtx + 4 * Math.min(glyph, metrics - 1));
    widths.set(point, Math.round((1000 * advance) / unitsPerEm));
  }
  return widths;
}

function characterMap(font: Buffer, cmap: number): (point: number) => number {
  const tables = Array.from(
    {length: font.readUInt16BE(cmap + 2)},
    (_, k) => cmap + font.readUInt32BE(cmap + 8 + 8 * k),
  );
  const start = tables.find(offset => font.readUInt16BE(offset) === 4);
  if (start === undefined) throw new Error('The font has no character map of format 4.');
  const double = font.readUInt16BE(start + 6);
  const [ends, starts, deltas, ranges] = [14, 16 + double, 16 + 2 * double, 16 + 3 * double].map(at => start + at);
  return point => {
    for (let k = 0; k < double; k += 2) {
      if (font.readUInt16BE(ends! + k) < point) continue;
      const first = font.readUInt16BE(starts! + k);
      if (first > point) return 0;
      const [delta, range] = [font.readUInt16BE(deltas! + k), font.readUInt16BE(ranges! + k)];
      if (range === 0) return (point + delta) & 0xffff;
      const glyph = font.readUInt16BE(ranges! + k + range + 2 * (point - first));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
