/** The numbers in the cells of heat maps. */
import type {Chart, Plugin} from 'chart.js';
import type {Cell} from '../elements.ts';

const size = 11;

/** Draws what each cell says, where it has the room: upright where it is narrow. */
export const cellNumbers: Plugin = {
  id: 'cellNumbers',
  afterDatasetsDraw(chart: Chart): void {
    const {ctx} = chart;
    for (const [k, {data}] of chart.data.datasets.entries()) {
      const meta = chart.getDatasetMeta(k);
      if (meta.type !== 'matrix') continue;
      ctx.save();
      ctx.font = `${size}px ${chart.options.font?.family ?? 'sans-serif'}`;
      [ctx.textAlign, ctx.textBaseline] = ['center', 'middle'];
      for (const [i, element] of meta.data.entries()) {
        const {text, ink} = data[i] as unknown as Cell;
        const {x, y, width, height} = element.getProps(['x', 'y', 'width', 'height'], true) as Record<
          'x' | 'y' | 'width' | 'height',
          number
        >;
        const length = ctx.measureText(text).width + 2;
        const isLevel = length <= width && size <= height;
        if (!isLevel && !(length <= height && size <= width)) continue;
        ctx.save();
        ctx.translate(x + width / 2, y + height / 2);
        if (!isLevel) ctx.rotate(-Math.PI / 2);
        ctx.fillStyle = ink;
        ctx.fillText(text, 0, 0);
        ctx.restore();
      }
      ctx.restore();
    }
  },
};
