/* MKL asks these two whether the processor is Intel's before it takes its AVX-512 kernels. Preloaded, they say yes on any processor. */
int mkl_serv_intel_cpu(void) { return 1; }
int mkl_serv_intel_cpu_true(void) { return 1; }
