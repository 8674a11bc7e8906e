export type Precision = 'float32' | 'bfloat16';
