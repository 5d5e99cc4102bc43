"""A variational autoencoder on points of a ring, with noise from typed tensors."""
import torch
import torch.utils.data
from torch import nn, optim
from torch.autograd import Variable
from torch.nn import functional as F

torch.manual_seed(2)
N, D = 256, 16
angle = torch.rand(N) * 6.2831853
data = torch.stack([torch.cos(angle + k) for k in range(D)], 1).add(1).mul(0.5)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data, angle), batch_size=64, shuffle=True)


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(D, 32)
        self.fc21 = nn.Linear(32, 2)
        self.fc22 = nn.Linear(32, 2)
        self.fc3 = nn.Linear(2, 32)
        self.fc4 = nn.Linear(32, D)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def encode(self, x):
        h1 = self.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = logvar.mul(0.5).exp_()
        eps = Variable(std.data.new(std.size()).normal_())
        return eps.mul(std).add_(mu)

    def decode(self, z):
        return self.sigmoid(self.fc4(self.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, D))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, D), size_average=False)
    KLD_element = mu.pow(2).add_(logvar.exp()).mul_(-1).add_(1).add_(logvar)
    KLD = torch.sum(KLD_element).mul_(-0.5)
    return BCE + KLD


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(1, 6):
    model.train()
    train_loss = 0
    for batch, (x, _) in enumerate(loader):
        x = Variable(x.type(torch.FloatTensor))
        optimizer.zero_grad()
        recon, mu, logvar = model(x)
        loss = loss_function(recon, x, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    print("epoch %d: average loss %.4f" % (epoch, train_loss / N))
model.eval()
sample = Variable(torch.FloatTensor(2, 2).normal_())
with torch.no_grad():
    print(model.decode(sample)[:, :4])
    recon, mu, _ = model(Variable(data, volatile=True))
    print("%.5f %.5f" % ((recon - data).pow(2).mean(), mu.abs().mean()))
