/**
 * A GPU for tests: on Linux the software one of Debian's Chromium (SwiftShader), which computes in float32 as a GPU
 * does, only slowly; elsewhere the machine's own.
 */
import {existsSync} from 'node:fs';
import {findGpu} from '../../../trainer/engine/device/gpu.ts';
import {canInstall, installPackages} from '../../debian.ts';

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loaders = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib/aarch64-linux-gnu/libvulkan.so.1'];
const packages = ['chromium', 'libvulkan1'];
const installLine = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;

const isThere = () => existsSync(driver) && loaders.some(existsSync);

/**
 * Makes sure of the device, and points this process and its children to it. False, said loudly, where a platform has
 * none.
 * @throws Error with the line that installs it, where it can be had
 */
export async function testGpu(): Promise<boolean> {
  if (process.platform === 'linux') {
    if (!isThere() && canInstall()) await installPackages(packages, line => console.log(line));
    if (!isThere()) {
      const missing = `The software GPU is needed to test run.device: gpu: ${installLine}`;
      if (process.env['CI'] || existsSync('/usr/bin/apt-get')) throw new Error(missing);
      console.error(`\n*** NOT TESTED on any GPU. ${missing}\n`);
      return false;
    }
    process.env['VK_ICD_FILENAMES'] = driver;
    process.env['XDG_RUNTIME_DIR'] ??= '/tmp';
    return true;
  }
  const found = await findGpu();
  if (!('missing' in found)) return true;
  if (process.env['CI']) throw new Error(`There is no GPU to test run.device: gpu on: ${found.missing}`);
  console.error(`\n*** NOT TESTED on any GPU: ${found.missing}\n`);
  return false;
}
