/** Bar charts of the benchmark, drawn by Chart.js in the Chromium that the tests of the editor use. */
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {openBrowser} from '../../e2e/driver.ts';
import {installation} from '../../e2e/install.ts';
import type {Picture} from './part.ts';

const colours = {ours: '#0053b0', peer: '#b8bfcc'};

/** Writes each picture as a PNG into `folder`. */
export async function draw(pictures: readonly Picture[], folder: string): Promise<void> {
  const library = join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
  const script = await readFile(library, 'utf8');
  const browser = await openBrowser(await installation(console.log));
  try {
    for (const picture of pictures) {
      const height = 90 + 26 * picture.bars.length;
      const page = await browser.newPage({viewport: {width: 900, height}});
      const canvas = `<div style="width:900px;height:${height}px"><canvas></canvas></div>`;
      await page.goto(`data:text/html,${encodeURIComponent(`<body style="margin:0;background:white">${canvas}`)}`);
      await page.evaluate(script);
      await page.evaluate(`new Chart(document.querySelector('canvas'), ${JSON.stringify(configuration(picture))})`);
      await page.screenshot({path: join(folder, picture.file)});
    }
  } finally {
    await browser.close();
  }
}

function configuration({title, bars, unit}: Picture): object {
  return {
    type: 'bar',
    data: {
      labels: bars.map(({label}) => label),
      datasets: [
        {
          data: bars.map(({value}) => value),
          backgroundColor: bars.map(({ours}) => (ours ? colours.ours : colours.peer)),
        },
      ],
    },
    options: {
      indexAxis: 'y',
      animation: false,
      maintainAspectRatio: false,
      plugins: {legend: {display: false}, title: {display: true, text: title}},
      scales: {x: {beginAtZero: true, title: {display: true, text: unit}}},
    },
  };
}
