export const demoNote =
  'The bundled demo models are small: they were trained on moving shapes, to show the studio at work. ' +
  'Real checkpoints go into a model folder.'
