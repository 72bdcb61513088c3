import { Clapperboard } from 'lucide-react'
import { generate } from '#renderer/actions/generate.ts'
import { adoptRecipe, restoreRecipe } from '#renderer/actions/restore.ts'
import { chooseFirstModel } from '#renderer/store/choose-model.ts'
import type { View } from '#renderer/views/view.ts'
import { ClipTile, ClipTileMenu } from './clip-tile.tsx'
import { GenerateForm } from './generate-form.tsx'
import { GenerateInspector } from './generate-inspector.tsx'
import { GenerateStage } from './generate-stage.tsx'

export const generateView: View = {
  icon: Clapperboard,
  thread: 'warp',
  Form: GenerateForm,
  Stage: GenerateStage,
  Inspector: GenerateInspector,
  run: generate,
  Tile: ClipTile,
  TileMenu: ClipTileMenu,
  chooseModel: chooseFirstModel,
  resumes: true,
  restore: restoreRecipe,
  adopt: adoptRecipe,
}
