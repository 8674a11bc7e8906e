/** How far a download is: a bar on a terminal, a line a file elsewhere. */
import {SingleBar} from 'cli-progress';
import type {FetchProgress} from '../../hub/fetch.ts';

export interface DownloadProgress {
  update(progress: FetchProgress): void;
  /** Takes the bar off the screen. */
  stop(): void;
}

export function downloadProgress(stream: NodeJS.WriteStream): DownloadProgress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): DownloadProgress {
  const drawn = new SingleBar({
    stream,
    format: '{bar} {percentage}% {shown} of {all}, {duration_formatted}, {eta_formatted} left: {file}',
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 200,
  });
  let begun = false;
  return {
    update({file, bytes, total}) {
      const payload = {file, shown: size(bytes), all: size(total)};
      if (begun) drawn.update(bytes, payload);
      else drawn.start(total, bytes, payload);
      begun = true;
    },
    stop: () => drawn.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): DownloadProgress {
  let current = '';
  return {
    update({file, total}) {
      if (file !== current) stream.write(`${file} (${size(total)} in all)\n`);
      current = file;
    },
    stop() {},
  };
}

function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}
