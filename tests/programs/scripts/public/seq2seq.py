"""Reversing words: a GRU encoder over packed sequences, a decoder with attention, teacher forcing."""
import random
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

random.seed(0)
torch.manual_seed(0)
PAD, SOS, EOS = 0, 1, 2
WORDS = ["".join(random.choice("abcdef") for _ in range(random.randint(2, 7))) for _ in range(200)]


def encode(word):
    return torch.tensor([ord(c) - ord("a") + 3 for c in word] + [EOS])


class Encoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden, padding_idx=PAD)
        self.gru = nn.GRU(hidden, hidden, bidirectional=True)

    def forward(self, src, lengths):
        packed = pack_padded_sequence(self.embedding(src), lengths)
        outputs, hidden = self.gru(packed)
        outputs, lengths = pad_packed_sequence(outputs)
        half = outputs.size(2) // 2
        return outputs[:, :, :half] + outputs[:, :, half:], hidden


class Attn(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.attn = nn.Linear(hidden * 2, hidden)
        self.v = nn.Parameter(torch.zeros(hidden))
        nn.init.normal_(self.v, mean=0, std=1.0 / hidden**0.5)

    def forward(self, hidden, encoder_outputs, mask):
        T = encoder_outputs.size(0)
        h = hidden.repeat(T, 1, 1).transpose(0, 1)
        e = torch.tanh(self.attn(torch.cat([h, encoder_outputs.transpose(0, 1)], 2))).transpose(1, 2)
        energy = torch.bmm(self.v.repeat(e.size(0), 1).unsqueeze(1), e).squeeze(1)
        return F.softmax(energy.masked_fill(mask, -1e10), dim=1).unsqueeze(1)


class Decoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.dropout = nn.Dropout(0.1, inplace=True)
        self.attention = Attn(hidden)
        self.gru = nn.GRU(hidden * 2, hidden)
        self.out = nn.Linear(hidden * 2, vocab)

    def forward(self, token, last_hidden, encoder_outputs, mask):
        embedded = self.dropout(self.embed(token).unsqueeze(0))
        weights = self.attention(last_hidden[-1], encoder_outputs, mask)
        context = weights.bmm(encoder_outputs.transpose(0, 1)).transpose(0, 1)
        output, hidden = self.gru(torch.cat([embedded, context], 2), last_hidden)
        output = self.out(torch.cat([output.squeeze(0), context.squeeze(0)], 1))
        return F.log_softmax(output, dim=1), hidden, weights


V, H = 9, 24
encoder, decoder = Encoder(V, H), Decoder(V, H)
optimizer = optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
for step in range(1, 41):
    batch = sorted((random.choice(WORDS) for _ in range(16)), key=len, reverse=True)
    src = pad_sequence([encode(w) for w in batch], padding_value=PAD)
    trg = pad_sequence([encode(w[::-1]) for w in batch], padding_value=PAD)
    lengths = [len(w) + 1 for w in batch]
    outputs, hidden = encoder(src, lengths)
    hidden = hidden[:1] + hidden[1:]
    mask = (src == PAD).t()
    token, loss = torch.full((16,), SOS, dtype=torch.long), 0
    for t in range(trg.size(0)):
        logp, hidden, weights = decoder(token, hidden, outputs, mask)
        loss = loss + F.nll_loss(logp, trg[t], ignore_index=PAD)
        token = trg[t] if random.random() < 0.5 else logp.data.max(1)[1]
    loss = loss / trg.size(0)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
    optimizer.step()
    if step % 8 == 0:
        print("step %d loss %.4f norm %.4f attention %.4f" % (step, loss.item(), norm, weights.max().item()))
