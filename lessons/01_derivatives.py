# %% [markdown]
# # 1. A derivative is a question: what happens if I nudge this?
#
# *To read: 20 minutes. To run: 3 seconds. You need: Python, and to have met functions at
# school.*
#
# A machine that learns is a long formula with many numbers in it that can be changed. To
# learn is to change them so that the formula makes fewer mistakes. Each of them could go
# up a little or down a little. Which way is better, and how much better? That question,
# asked of one number, is a derivative. Everything in this course, GPT-2 included, is that
# question asked of many numbers at once.
#
# In this lesson you ask it by hand: you nudge a number, and look.
#
# Every lesson works the same way. Before most cells you find a line that begins with
# **Write down**. Do it, on paper, before you run the cell. A guess that turned out wrong
# is remembered; an answer that was only read is not.

# %% [markdown]
# ## A function, and a point on it
#
# Here is a function of one number. You can take it for the formula, and `x` for the
# number that may be changed.

# %%
def f(x):
    return 3 * x**2 - 4 * x + 5


print(f(3.0))
assert f(3.0) == 20.0

# %% [markdown]
# Look at the whole of it first. The function `plot_function` only draws; it knows nothing
# about derivatives.

# %%
from gradus.plots import plot_function

plot_function(f, -5, 5, points=[3.0], title="f(x) = 3x² - 4x + 5")

# %% [markdown]
# You stand on the dot, at x = 3. There the curve has the height 20.
#
# **Write down:** if you make x a little larger, does f(x) go up or down? And if you move
# x by 0.1, about how far does f(x) move: less than 0.1, about 0.1, or more?

# %% [markdown]
# ## Nudge it
#
# Do what the question says. Move x by a small step, which everybody calls `h`, and see
# what f does.

# %%
h = 0.1
print("before:", f(3.0))
print("after: ", f(3.0 + h))
print("f moved by", f(3.0 + h) - f(3.0))

# %% [markdown]
# It went up, by about 1.43. So f moves about fourteen times as far as x does. That ratio
# is what we are after, because it does not depend so much on how large a step we happened
# to take:


# %%
def slope(f, x, h):
    """How many times as far as x does f move?"""
    return (f(x + h) - f(x)) / h


print(slope(f, 3.0, 0.1))

# %% [markdown]
# **Write down:** the ratio is 14.3 with a step of 0.1. What will it be with a step of
# 0.01? And of 0.001? Is there a number that all this is heading for?

# %%
for h in [1.0, 0.1, 0.01, 0.001, 0.0001]:
    print(f"h = {h:<7} slope = {slope(f, 3.0, h):.6f}")

assert abs(slope(f, 3.0, 0.0001) - 14) < 0.001

# %% [markdown]
# It is heading for 14. Look at the digits: 17, 14.3, 14.03, 14.003. What is too much is
# always three times h. That is no accident, and you can see why with nothing but
# multiplication. Put 3 + h into f:
#
#     f(3 + h) = 3 (3 + h)²          - 4 (3 + h) + 5
#              = 3 (9 + 6h + h²)     - 12 - 4h   + 5
#              = 27 + 18h + 3h²      - 12 - 4h   + 5
#              = 20 + 14h + 3h²
#
# Take away f(3) = 20, and divide by h:
#
#     slope = (14h + 3h²) / h = 14 + 3h
#
# The smaller h, the nearer to 14. **The number that the ratio is heading for, as h goes
# to 0, is the derivative of f at 3.** It is written f′(3) = 14.
#
# There is a picture for it. A line through two points of the curve has the slope that you
# have just computed. As the second point comes nearer, the line becomes the one that
# touches the curve.

# %%
lines = {
    "through 3 and 5: slope 20": (3.0, slope(f, 3.0, 2.0)),
    "through 3 and 4: slope 17": (3.0, slope(f, 3.0, 1.0)),
    "touching at 3: slope 14": (3.0, 14.0),
}
plot_function(
    f, 0, 6, points=[3.0, 4.0, 5.0], lines=lines, title="The second point comes nearer"
)

# %% [markdown]
# ## Somewhere else, something else
#
# The derivative belongs to a place. Somewhere else on the curve the answer is another
# one.
#
# **Write down:** at x = -3, is the derivative positive or negative? Look at the first
# picture. And is there an x where a nudge changes (almost) nothing?

# %%
for x in [-3.0, 0.0, 2 / 3, 3.0]:
    print(f"x = {x:6.3f}   f(x) = {f(x):7.3f}   slope = {slope(f, x, 1e-6):10.6f}")

assert abs(slope(f, -3.0, 1e-6) - -22) < 1e-4
assert abs(slope(f, 2 / 3, 1e-6)) < 1e-4

# %% [markdown]
# At x = -3 it is -22: make x larger, and f goes *down*. And at x = 2/3, at the bottom of
# the valley, it is 0: there the curve is flat.
#
# The same multiplication as above, with x in place of 3, gives a formula for every place
# at once: `f′(x) = 6x - 4`. Put 3 in, and you get 14. Put in 2/3, and you get 0.

# %%
for x in [-3.0, 0.0, 2 / 3, 3.0]:
    assert abs(slope(f, x, 1e-6) - (6 * x - 4)) < 1e-4

# %% [markdown]
# ## What it is good for
#
# Forget the picture for a moment. You stand at x = 3 in the dark, and want to get to
# where f is smallest. All that you can do is nudge. What would you do?
#
# You would feel which way is up, and take a step the other way. Then feel again.

# %%
x = 3.0
path = [x]
for _ in range(12):
    x = x - 0.1 * slope(f, x, 1e-6)  # against the slope, and further where it is steep
    path.append(x)

print("   ".join(f"{x:.3f}" for x in path))
assert abs(x - 2 / 3) < 0.001

# %%
plot_function(f, -1, 4, points=path, title="Downhill, against the slope")

# %% [markdown]
# It found the bottom, at 0.667, and never saw the picture. Its steps became smaller by
# themselves, because near the bottom the slope is small.
#
# This is called *gradient descent*. It is how every network in this course learns, and it
# will not become more clever than these three lines. It only gets more numbers to change.

# %% [markdown]
# ## Several numbers
#
# So take a formula with three:

# %%
a, b, c = 2.0, -3.0, 10.0
d = a * b + c
print(d)
assert d == 4.0

# %% [markdown]
# Now there are three questions. What happens to d if you nudge a, and leave b and c where
# they are? If you nudge only b? Only c? Each answer is called a *partial derivative*:
# partial, because it asks about one of several.
#
# **Write down** three numbers, before you run it. Think of a first: if a becomes 2.001,
# what is a * b? (Mind that b is -3.)


# %%
def nudge(da, db, dc):
    """How far does d move, if a, b and c move by da, db and dc?"""
    return ((a + da) * (b + db) + (c + dc)) - (a * b + c)


h = 1e-6
slopes = {"a": nudge(h, 0, 0) / h, "b": nudge(0, h, 0) / h, "c": nudge(0, 0, h) / h}
for name, value in slopes.items():
    print(f"nudge {name}: d moves {value:9.6f} times as far")

assert [round(value, 4) for value in slopes.values()] == [-3, 2, 1]

# %% [markdown]
# The answer for a is -3, and that is b. It has to be: a larger a means more copies of b,
# and b is -3. The answer for b is 2, and that is a. The answer for c is 1: what is added
# to c is added to d.
#
# All three together, (-3, 2, 1), are called the *gradient* of d. A gradient is a list of
# answers, one for each number that can be changed.

# %% [markdown]
# ## A mistake that everybody makes once
#
# Here is the same computation, written by somebody in a hurry. It runs, and two of its
# three answers are wrong.
#
# **Write down:** which two, and what do they say in place of the right answer?

# %%
x, y, z = 2.0, -3.0, 10.0
before = x * y + z

x += h
print("nudge a:", round((x * y + z - before) / h, 3))
y += h
print("nudge b:", round((x * y + z - before) / h, 3))
z += h
print("nudge c:", round((x * y + z - before) / h, 3))

# %% [markdown]
# The second should be 2, and is -1. What went wrong? When y was nudged, x was still
# nudged too. Both effects arrived together: -3 + 2 = -1. And in the third, all three: -3
# + 2 + 1 = 0.
#
# The bug is easy to mend (put x back before you move y). But there is something good
# hidden in it: **small effects add up.** If you move everything at once, each by its own
# small amount, the result moves by the sum of the parts. Try it with any three steps you
# like:

# %%
da, db, dc = 0.001, 0.003, -0.002
moved = nudge(da, db, dc)
expected = -3 * da + 2 * db + 1 * dc
print(f"d moved by {moved:.6f}, and the sum of the parts is {expected:.6f}")
assert abs(moved - expected) < 1e-5

# %% [markdown]
# Almost the same: the rest, 0.000003, is da times db, a small number times a small
# number. Remember that sums appear where several ways lead to one result. In lesson 2 it
# becomes the most important line of code.

# %% [markdown]
# ## How small is small?
#
# You have seen that a smaller h gives a better answer: 14.3, 14.03, 14.003. So why not
# take the smallest there is?
#
# **Write down:** of h = 10⁻¹, 10⁻², ... 10⁻¹⁶, which gives the slope that is nearest to
# 14?

# %%
steps = [10.0**-k for k in range(1, 17)]
errors = [abs(slope(f, 3.0, h) - 14) for h in steps]
for h, error in zip(steps, errors, strict=True):
    print(f"h = {h:.0e}   slope = {slope(f, 3.0, h):20.15f}   error = {error:.1e}")

# %% [markdown]
# The error falls, as it should, and then it rises again. With the last step the slope is
# 0, and that is not nearly right, it is nonsense. Look at it as a picture, with both axes
# in powers of ten:

# %%
from gradus.plots import plot_series

plot_series(
    steps,
    {
        "error of the slope": errors,
        "3 h: the step is too large": [3 * h for h in steps],
        "3.6e-15 / h: rounding": [3.6e-15 / h for h in steps],
    },
    title="The V of the step size",
    xlabel="step h",
    ylabel="distance from 14",
    log=True,
    log_steps=True,
)

# %% [markdown]
# It is a V. You know its right side already: there the error is 3h, as you computed
# above.
#
# What is its left side? A float has about 16 digits. f(3) is 20, and near 20 two
# neighbouring floats are 3.6e-15 apart:

# %%
import math

print(math.ulp(20.0))  # from 20 to the next float
print(3.0 + 1e-16 == 3.0)

# %% [markdown]
# So f(x + h) and f(x) are each right to about 3.6e-15, and so is their difference. Then
# you divide by h. With h = 1e-12 that small error becomes 3.6e-15 / 1e-12 = 0.004. **The
# smaller the step, the more of what you see is rounding.** And with 1e-16, 3 + h *is* 3,
# so that nothing has been nudged at all.
#
# The bottom of the V is where the two are equal: 3h = 3.6e-15 / h. Solve for h, and you
# get √1.2e-15, about 3.5e-8.

# %%
best = steps[errors.index(min(errors))]
print("the best step:", best, "   predicted:", math.sqrt(math.ulp(20.0) / 3))
assert 1e-9 <= best <= 1e-6

# %% [markdown]
# A warning, so that you never trust a single number too much. At x = 2/3, where the slope
# is 0, the step 1e-8 gives exactly that:

# %%
print(slope(f, 2 / 3, 1e-6))
print(slope(f, 2 / 3, 1e-8))

# %% [markdown]
# Is 1e-8 so much better? No. With so small a step, at the bottom of the valley, f(x + h)
# and f(x) round to the same float. It is the right answer by luck.

# %% [markdown]
# ## From both sides
#
# There is a cheap way to do better. Step to the right *and* to the left, and take the
# slope between the two:


# %%
def central_slope(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


print(slope(f, 3.0, 0.1), central_slope(f, 3.0, 0.1))
assert abs(central_slope(f, 3.0, 0.1) - 14) < 1e-9

# %% [markdown]
# Even with a step of 0.1 it is 14! On the right side the error is +3h, on the left it is
# -3h, and the two cancel. For a parabola nothing else is left. For other curves something
# is left, but less: its error falls with h² instead of h. Here is the sine at x = 1,
# whose derivative is cos 1, as you may remember from school.
#
# **Write down:** where will the bottom of the second V lie: to the left or to the right
# of the first one? Higher or lower?

# %%
exact = math.cos(1.0)
plot_series(
    steps,
    {
        "one side": [abs(slope(math.sin, 1.0, h) - exact) for h in steps],
        "both sides": [abs(central_slope(math.sin, 1.0, h) - exact) for h in steps],
    },
    title="The sine at 1: two kinds of nudge",
    xlabel="step h",
    ylabel="error of the slope",
    log=True,
    log_steps=True,
)

# %%
one = min(abs(slope(math.sin, 1.0, h) - exact) for h in steps)
both = min(abs(central_slope(math.sin, 1.0, h) - exact) for h in steps)
print(f"the best from one side: {one:.0e}, from both sides: {both:.0e}")
assert both < one < 1e-7

# %% [markdown]
# ## Where gradus has it
#
# All this is one call in gradus. It makes the same quotients, for the same steps. Whether
# they are the same as yours is not to be believed but to be checked:

# %%
from gradus import derivative

theirs = derivative(f, 3.0, steps)
assert list(theirs.forward) == [slope(f, 3.0, h) for h in steps]
assert list(theirs.central) == [central_slope(f, 3.0, h) for h in steps]
print(theirs)

# %% [markdown]
# Equal to the last bit. In the last line stands "by backpropagation": gradus found 14
# without any step, and without any error. How that can be done is the next lesson.

# %% [markdown]
# ## What you have now
#
# * A derivative answers: if I nudge this, how many times as far does that move, and which
#   way?
# * You can always find it by trying: nudge, look, divide. Nobody can sell you a wrong
#   formula any more.
# * Step against the slope, again and again, and you arrive where the function is
#   smallest.
# * A gradient is one answer for each number. Small effects add up.
# * A step can be too large and too small. About 1e-6 is a good one; from both sides is
#   better.
#
# And here is the problem that remains. GPT-2 has 124,439,808 numbers. To nudge each of
# them means to run it 124,439,808 times, for *one* step downhill. There must be a better
# way. There is, and it takes one run.
#
# **Next:** [2. Numbers that remember](02_numbers_that_remember.ipynb)
