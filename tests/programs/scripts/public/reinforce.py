"""REINFORCE with a baseline in a corridor: go right, past a step that may throw you back."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

torch.manual_seed(543)
gamma, length = 0.95, 6


class Corridor:
    def reset(self):
        self.at, self.t = 0, 0
        return self.state()

    def state(self):
        return F.one_hot(torch.tensor(self.at), length).float()

    def step(self, action):
        self.t += 1
        self.at = max(0, self.at + (1 if action == 1 else -1))
        if self.at == 3 and torch.rand(1).item() < 0.2:
            self.at = 0
        done = self.at == length - 1 or self.t == 40
        return self.state(), (1.0 if self.at == length - 1 else -0.05), done


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(length, 24)
        self.dropout = nn.Dropout(p=0.1)
        self.action_head = nn.Linear(24, 2)
        self.value_head = nn.Linear(24, 1)
        self.saved, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


policy, env = Policy(), Corridor()
optimizer = optim.Adam(policy.parameters(), lr=2e-2)
eps = torch.finfo(torch.float32).eps
running = 0
for episode in range(1, 31):
    state, done, entropies = env.reset(), False, []
    while not done:
        probs, value = policy(state)
        m = Categorical(probs)
        action = m.sample()
        entropies.append(m.entropy())
        policy.saved.append((m.log_prob(action), value))
        state, reward, done = env.step(action.item())
        policy.rewards.append(reward)
    R, returns, losses = 0, [], []
    for r in policy.rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for (log_prob, value), ret in zip(policy.saved, returns):
        advantage = ret - value.item()
        losses.append(-log_prob * advantage + F.smooth_l1_loss(value, torch.tensor([ret])))
    optimizer.zero_grad()
    loss = torch.stack([x.sum() for x in losses]).sum() - 0.01 * torch.stack(entropies).sum()
    loss.backward()
    optimizer.step()
    running = 0.05 * sum(policy.rewards) + 0.95 * running
    if episode % 6 == 0:
        print("episode %d steps %d reward %.3f loss %.4f" % (episode, env.t, running, loss.item()))
    del policy.rewards[:], policy.saved[:]
