import { ScanSearch } from 'lucide-react'
import { classify, lookAtFiles } from '#renderer/actions/classify.ts'
import { chooseClassifier } from '#renderer/store/classify.ts'
import type { View } from '#renderer/views/view.ts'
import { ClassificationTile, ClassificationTileMenu } from './classification-tile.tsx'
import { ClassifyForm } from './classify-form.tsx'
import { ClassifyStage } from './classify-stage.tsx'
import { LabelsPanel } from './labels-panel.tsx'

export const classifyView: View = {
  icon: ScanSearch,
  thread: 'weft',
  Form: ClassifyForm,
  Stage: ClassifyStage,
  Inspector: LabelsPanel,
  run: classify,
  Tile: ClassificationTile,
  TileMenu: ClassificationTileMenu,
  chooseModel: chooseClassifier,
  resumes: false,
  look: lookAtFiles,
}
