"""A word language model in the style of 2017: Variables, typed tensors, an update written out."""
import math
import torch
import torch.nn as nn
from torch.autograd import Variable

torch.manual_seed(1111)
TEXT = "the cat sat on the mat and the dog sat on the cat . the mat was on the dog and the cat was sad . " * 12


class Dictionary(object):
    def __init__(self):
        self.word2idx, self.idx2word = {}, []

    def add_word(self, word):
        if word not in self.word2idx:
            self.idx2word.append(word)
            self.word2idx[word] = len(self.idx2word) - 1
        return self.word2idx[word]

    def __len__(self):
        return len(self.idx2word)


def tokenize(dictionary, text):
    words = text.split() + ["<eos>"]
    for word in words:
        dictionary.add_word(word)
    ids = torch.LongTensor(len(words))
    for token, word in enumerate(words):
        ids[token] = dictionary.word2idx[word]
    return ids


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    return data.view(bsz, -1).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, nlayers, dropout=0.5, tie_weights=False):
        super(RNNModel, self).__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            self.decoder.weight = self.encoder.weight
        self.init_weights()
        self.nhid, self.nlayers = nhid, nlayers

    def init_weights(self):
        initrange = 0.1
        self.encoder.weight.data.uniform_(-initrange, initrange)
        self.decoder.bias.data.fill_(0)
        self.decoder.weight.data.uniform_(-initrange, initrange)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output.view(output.size(0) * output.size(1), output.size(2)))
        return decoded.view(output.size(0), output.size(1), decoded.size(1)), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters()).data
        return (
            Variable(weight.new(self.nlayers, bsz, self.nhid).zero_()),
            Variable(weight.new(self.nlayers, bsz, self.nhid).zero_()),
        )


def repackage_hidden(h):
    if isinstance(h, Variable):
        return Variable(h.data)
    return tuple(repackage_hidden(v) for v in h)


corpus = Dictionary()
data = batchify(tokenize(corpus, TEXT), 4)
assert isinstance(data, torch.LongTensor) and data.type() == "torch.LongTensor"
model = RNNModel(len(corpus), 24, 24, 2, dropout=0.2, tie_weights=True)
criterion = nn.CrossEntropyLoss(size_average=True)
print(len(corpus), tuple(data.size()), sum(p.nelement() for p in model.parameters()))

lr, bptt = 5.0, 8
for epoch in range(1, 4):
    total = torch.FloatTensor(1).zero_()
    hidden = model.init_hidden(4)
    model.train()
    for batch, i in enumerate(range(0, data.size(0) - 1, bptt)):
        n = min(bptt, len(data) - 1 - i)
        inputs, targets = Variable(data[i : i + n]), Variable(data[i + 1 : i + 1 + n].view(-1))
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(inputs, hidden)
        loss = criterion(output.view(-1, len(corpus)), targets)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(-lr, p.grad.data)
        total += loss.data
    print("epoch %d loss %.4f ppl %.3f norm %.4f" % (epoch, total[0] / (batch + 1), math.exp(total[0] / (batch + 1)), norm))
    lr /= 2

model.eval()
hidden = model.init_hidden(1)
word = Variable(torch.rand(1, 1).mul(len(corpus)).long(), volatile=True)
said = []
for i in range(12):
    output, hidden = model(word, hidden)
    weights = output.squeeze().data.div(0.8).exp().cpu()
    index = torch.multinomial(weights, 1)[0]
    word.data.fill_(index)
    said.append(corpus.idx2word[index])
print(" ".join(said))
