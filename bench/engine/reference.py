"""PyTorch and transformers as a contestant of bench/engine.ts: one JSON request a line in, one JSON result a line out.

Run by the benchmark; needs torch, transformers and safetensors. Requests:
  open      {folder, threads, compile, device}  loads a Hugging Face folder in float32
  train     {rows}                         one step: forward, backward, gradient clip, AdamW; token mean of next-token loss
  generate  {prompts, newTokens}           greedy `generate` with a KV cache, end tokens ignored
"""

import json
import os
import resource
import sys
import time


def main():
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    state = {}
    for line in sys.stdin:
        request = json.loads(line)
        result = globals()[request["op"]](state, **{k: v for k, v in request.items() if k != "op"})
        replies.write(json.dumps(result) + "\n")
        replies.flush()


def timed(work):
    started, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {
        "ms": 1000 * (time.perf_counter() - started),
        "cpuMs": 1000 * (time.process_time() - cpu),
        "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **result,
    }


def open(state, folder, threads, compile=False, device="cpu"):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").to(device)
    state["model"] = model
    state["device"] = device
    state["forward"] = torch.compile(model) if compile else model
    state["optimizer"] = None
    return {"torch": torch.__version__}


def train(state, rows):
    import torch

    model, forward = state["model"], state["forward"]
    if state["optimizer"] is None:
        model.train()
        decayed = [p for p in model.parameters() if p.dim() > 1]
        plain = [p for p in model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        # The fused form is the default of transformers' own Trainer, and the fastest on a CPU.
        state["optimizer"] = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    optimizer = state["optimizer"]
    ids = torch.tensor(rows, device=state["device"])

    def step():
        logits = forward(input_ids=ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return {"loss": loss.item()}

    return timed(step)


def generate(state, prompts, newTokens):
    import torch

    model = state["model"]
    model.eval()
    ids = torch.tensor(prompts, device=state["device"])

    def work():
        with torch.no_grad():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=newTokens,
                min_new_tokens=newTokens,
                do_sample=False,
                use_cache=True,
                pad_token_id=0,
                eos_token_id=None,
            )
        return {"tokens": out[:, ids.shape[1] :].tolist()}

    return timed(work)


main()
