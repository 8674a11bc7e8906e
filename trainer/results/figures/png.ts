/** SVG documents as PNG pictures, without a browser: resvg in WebAssembly, with the font that figures are laid out in. */
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const dotsPerInch = 300;

/** Draws documents in their true size at 300 dots an inch; loads what it needs once. */
export async function pngRenderer(): Promise<(svg: string) => Uint8Array> {
  const {initWasm, Resvg} = await import('@resvg/resvg-wasm');
  const {resolve} = createRequire(import.meta.url);
  begun ??= initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  await begun;
  const font = readFileSync(resolve('@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf'));
  const options = {
    fitTo: {mode: 'zoom', value: dotsPerInch / 96},
    font: {fontBuffers: [font], defaultFontFamily: 'Arimo'},
  } as const;
  return svg => {
    const document = new Resvg(svg, options);
    const picture = document.render();
    const png = picture.asPng();
    picture.free();
    document.free();
    return png;
  };
}

/** It may be asked for only once a process. */
let begun: Promise<void> | undefined;
