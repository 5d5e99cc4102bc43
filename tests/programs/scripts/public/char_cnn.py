"""Two text classifiers: convolutions of several widths over words, and a deeper one over characters as an image."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)
V, T = 30, 20
X = torch.randint(2, V, (96, T))
y = (X == 5).any(1).long() + (X[:, 1:] == X[:, :-1] + 1).any(1).long()


class TextCNN(nn.Module):
    def __init__(self, widths=(2, 3, 4), channels=8):
        super(TextCNN, self).__init__()
        self.embed = nn.Embedding(V, 12)
        self.convs1 = nn.ModuleList([nn.Conv2d(1, channels, (k, 12)) for k in widths])
        self.dropout = nn.Dropout(0.3)
        self.fc1 = nn.Linear(len(widths) * channels, 3)

    def forward(self, x):
        x = self.embed(x).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs1]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        return self.fc1(self.dropout(torch.cat(x, 1)))


class CharCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv1d(V, 16, kernel_size=5, padding=2, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2))
        self.conv2 = nn.Sequential(nn.Conv1d(16, 16, kernel_size=3, stride=1), nn.ReLU(), nn.AdaptiveMaxPool1d(4))
        self.fc = nn.Linear(64, 3)

    def forward(self, x):
        x = F.one_hot(x, V).float().transpose(1, 2)
        x = self.conv2(self.conv1(x))
        return self.fc(x.view(x.size(0), -1))


class ImageCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2),
            nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Dropout2d(0.1),
        )
        self.classifier = nn.Linear(8 * 5 * 7, 3)

    def forward(self, x):
        x = F.one_hot(x, V).float().unsqueeze(1)
        return self.classifier(torch.flatten(self.features(x), 1))


for kind in (TextCNN, CharCNN, ImageCNN):
    model = kind()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(6):
        model.train()
        for i in range(0, 96, 32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(X[i : i + 32]), y[i : i + 32])
            loss.backward()
            optimizer.step()
    model.eval()
    logits = model(X)
    corrects = (torch.max(logits, 1)[1].view(y.size()).data == y.data).sum()
    print("%s loss %.5f, accuracy %d/96, %.5f" % (kind.__name__, loss.item(), corrects, logits.abs().mean()))
