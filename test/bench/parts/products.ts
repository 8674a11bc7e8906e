/** How fast both sides multiply matrices: what every ratio rests on. */

import {ownProducts, peerProducts} from '../ours/products.ts';
import type {Part} from '../pages/part.ts';
import {intelKernels, python} from '../peers/python.ts';
import {productShapes} from '../peers/sizes.ts';

export const products: Part = {
  summary: 'matrix products, onnxruntime and PyTorch',
  leftOut: 'nothing',
  async measure() {
    const interpreter = await python();
    const intel = await intelKernels();
    const rates: [string, number[]][] = [
      ['onnxruntime (this project), float32', await ownProducts()],
      ['PyTorch as installed, float32', await peerProducts(interpreter, 'float32')],
      ['PyTorch, bfloat16', await peerProducts(interpreter, 'bfloat16')],
    ];
    if ('library' in intel)
      rates.push([
        "PyTorch with MKL's Intel kernels, float32",
        await peerProducts(interpreter, 'float32', intel.library),
      ]);
    return [
      {
        title: 'Matrix products, GFLOPS on one thread',
        table: [
          ['', ...productShapes.map(shape => shape.join(' × '))],
          ...rates.map(([name, values]) => [name, ...values.map(rate => rate.toFixed(0))]),
        ],
        sentences: 'reason' in intel ? [`MKL's Intel kernels were not forced: ${intel.reason}.`] : [],
      },
    ];
  },
};
