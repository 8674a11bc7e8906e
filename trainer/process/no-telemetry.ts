/**
 * onnxruntime for Node.js carries Microsoft's telemetry: a device id and a queue of events under the user's cache folder,
 * and questions to its collector. It reads this variable when its first session opens. Native code sees the main thread's
 * environment only, so whatever starts threads or processes imports this first.
 */
export const noTelemetry = {ORT_DISABLE_TELEMETRY: '1'} as const;

Object.assign(process.env, noTelemetry);
