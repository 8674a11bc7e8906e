/**
 * The chance that at least one of k samples passes, estimated without bias from n samples of which c passed:
 * 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, equation 1), as a product that does not overflow.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let none = 1;
  for (let i = n - c + 1; i <= n; i++) none *= 1 - k / i;
  return 1 - none;
}
