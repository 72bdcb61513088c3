"""The reference implementation's side of `npm run bench`.

    python reference.py make CASE FOLDER             a full-size checkpoint of random weights, in the shapes of the published one
    python reference.py serve CASE FOLDER THREADS [float32|bfloat16] [INPUTS]

`serve` loads the checkpoint, says {"ready": 1}, and then answers each line of its input with a line of JSON: `run` with the time
of one forward, `save FILE` with the last output (and the inputs beside it) written as safetensors, `rss` with the highest memory.
"""
import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file, save_file

torch.set_grad_enabled(False)


def normal(*shape):
    return torch.randn(*shape, generator=normal.generator)


class Timesformer:
    """facebook/timesformer-base-finetuned-k400: one clip of 8 frames"""

    def model_class(self):
        from transformers import TimesformerForVideoClassification
        return TimesformerForVideoClassification

    def new(self):
        from transformers import TimesformerConfig
        return self.model_class()(TimesformerConfig(num_labels=400))

    def inputs(self):
        return {"pixel_values": normal(1, 8, 3, 224, 224)}

    def forward(self, model, given):
        return model(**given).logits


class Prior:
    """Kandinsky 2.2's prior: one step with guidance"""

    def model_class(self):
        from diffusers import PriorTransformer
        return PriorTransformer

    def new(self):
        return self.model_class()(num_attention_heads=32, attention_head_dim=64, num_layers=20, embedding_dim=1280)

    def inputs(self):
        return {
            "hidden_states": normal(2, 1280),
            "proj_embedding": normal(2, 1280),
            "encoder_hidden_states": normal(2, 77, 1280),
        }

    def forward(self, model, given):
        return model(timestep=500, **given).predicted_image_embedding


class Pixart:
    """PixArt-Sigma XL/2: one step with guidance at 256x256"""

    def model_class(self):
        from diffusers import PixArtTransformer2DModel
        return PixArtTransformer2DModel

    def new(self):
        return self.model_class()(sample_size=64, caption_channels=4096, use_additional_conditions=False)

    def inputs(self):
        return {
            "hidden_states": normal(2, 4, 32, 32),
            "encoder_hidden_states": normal(2, 120, 4096),
            "timestep": torch.full((2,), 500),
        }

    def forward(self, model, given):
        return model(added_cond_kwargs={"resolution": None, "aspect_ratio": None}, **given).sample


class UNetMotion:
    """Stable Diffusion 1.5 with AnimateDiff v1.5-2: one step of 8 frames at 256x256"""

    def model_class(self):
        from diffusers import UNetMotionModel
        return UNetMotionModel

    def new(self):
        return self.model_class()(sample_size=64, cross_attention_dim=768, motion_max_seq_length=32)

    def inputs(self):
        return {"sample": normal(1, 4, 8, 32, 32), "encoder_hidden_states": normal(1, 77, 768)}

    def forward(self, model, given):
        # Each frame has a prompt of its own in this version of the reference.
        prompts = given["encoder_hidden_states"].repeat_interleave(8, dim=0)
        return model(given["sample"], 500, prompts).sample


class Temporal:
    """A temporal transformer as AnimateDiff's, alone: 16 frames of 32x32"""

    def model_class(self):
        from diffusers.models import TransformerTemporalModel
        return TransformerTemporalModel

    def new(self):
        return self.model_class()(
            num_attention_heads=8,
            attention_head_dim=40,
            in_channels=320,
            positional_embeddings="sinusoidal",
            num_positional_embeddings=32,
        )

    def inputs(self):
        return {"hidden_states": normal(16, 320, 32, 32)}

    def forward(self, model, given):
        return model(num_frames=16, **given).sample


CASES = {
    "timesformer": Timesformer(),
    "unet-motion": UNetMotion(),
    "temporal": Temporal(),
    "prior": Prior(),
    "pixart": Pixart(),
}


def make(case, folder):
    torch.manual_seed(0)
    case.new().save_pretrained(folder, safe_serialization=True)


def serve(case, folder, threads, dtype="float32", inputs_file=None):
    torch.set_num_threads(int(threads))
    kind = getattr(torch, dtype)
    model = case.model_class().from_pretrained(folder, torch_dtype=kind).eval()
    inputs = load_file(inputs_file) if inputs_file else case.inputs()
    given = {name: value.to(kind) if value.is_floating_point() else value for name, value in inputs.items()}
    output = None
    say(ready=1)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "run":
            began, used = time.perf_counter(), time.process_time()
            output = case.forward(model, given)
            say(ms=(time.perf_counter() - began) * 1000, cpu_ms=(time.process_time() - used) * 1000)
        elif word == "save":
            save_file({"output": output.float().contiguous()}, rest[0])
            if inputs_file is None:
                save_file({name: value.contiguous() for name, value in inputs.items()}, rest[0] + ".inputs")
            say(saved=1)
        elif word == "rss":
            say(peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        elif word == "quit":
            return


def say(**message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    normal.generator = torch.Generator().manual_seed(0)
    word, name, *rest = sys.argv[1:]
    {"make": make, "serve": serve}[word](CASES[name], *rest)
