"""A torch LSTM classifier in the style of AWD-LSTM, explained: rules and dynamics on one page.

The recurrent weights are dropped while it trains (Merity, Keskar & Socher 2018), words are dropped
from the embedding, and one mask is shared by all steps of a document. None of this is there when it
answers, which the certificate shows.

python examples/torch_lstm.py           about two minutes, on the embedded sentences
"""

from __future__ import annotations

from pathlib import Path

import torch
from common import fit, write
from torch import nn
from torch.func import functional_call

import rnnscope as rs


class AwdLstm(nn.Module):
    def __init__(self, words: int, width: int = 64, units: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, units, batch_first=True)
        self.decoder = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embedding(ids)
        if not self.training:
            return self.decoder(self.lstm(x)[1][0][-1])
        kept = torch.rand(self.embedding.num_embeddings, 1) > 0.2
        x = x * kept[ids] / 0.8
        x = x * nn.functional.dropout(torch.ones_like(x[:, :1]), 0.4)
        weights = dict(self.lstm.named_parameters())
        weights["weight_hh_l0"] = nn.functional.dropout(weights["weight_hh_l0"], 0.4)
        _, (h, _) = functional_call(self.lstm, weights, (x,))
        return self.decoder(nn.functional.dropout(h[-1], 0.4))


def main() -> None:
    corpus = rs.load_corpus("embedded:sentences")
    train = corpus.split("train")
    words = rs.Vocabulary.build(train.documents, min_count=2)
    torch.manual_seed(0)
    module = AwdLstm(len(words))
    fit(module, [words.encode(d) for d in train.documents], train.labels, epochs=4)
    model = rs.from_torch(
        module,
        vocabulary=words,
        classes=corpus.classes,
        documents=corpus.split("test").documents[:200],
    )
    account = rs.explain(model, corpus, points=100)
    account.save("runs/torch_lstm/report.html")
    print(account)
    certificate = model.certificate
    write(Path("runs/torch_lstm"), certificate=certificate.to_dict() if certificate else None)


if __name__ == "__main__":
    main()
