/** The files of an adapter folder, as PEFT names them. */

export const configName = 'adapter_config.json';
export const tensorsName = 'adapter_model.safetensors';
/** Beside an adapter of a residual method: the factors that its base has lost. */
export const startName = 'start.safetensors';

export const adapterFiles = [configName, tensorsName, startName] as const;
