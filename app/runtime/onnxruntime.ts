// From 1.29 on, onnxruntime on Linux and macOS reports its use to its makers over the network and keeps a device id on
// the disk, unless this is set before it is loaded (onnxruntime pull requests 27379, 29843). Hence every import of it
// comes through here, and the import is a dynamic one: a static one would run first. Nothing that a user does here
// leaves the machine.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

/** onnxruntime-node, silent. */
export const ort = await import('onnxruntime-node')
