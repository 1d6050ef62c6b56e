"""What PyTorch's errors mean, in plain words: one table for the whole course."""

from __future__ import annotations

import re

# pattern in the message -> what happened and where to look; the first that fits is used
PLAIN_WORDS = {
    r"Trying to backward through the graph a second time":
        "The graph was walked before, and the values it had saved are freed. Compute the output anew before each "
        "`backward`; only if one graph must be walked twice, pass `retain_graph=True` the first time.",
    r"a view of a leaf Variable that requires grad is being used in an in-place operation":
        "A part of a leaf is changed in place while PyTorch records. Change it under `torch.no_grad()`, or work on a "
        "copy.",
    r"a leaf Variable that requires grad is being used in an in-place operation":
        "A leaf is changed in place while PyTorch records. For an update step, do it under `torch.no_grad()`.",
    r"has been modified by an inplace operation":
        "A value that `backward` still needs was changed in place after it was saved. Make a new tensor instead of "
        "changing that one, or change it after `backward`.",
    r"element 0 of tensors does not require grad":
        "Nothing behind this tensor is tracked: no leaf has `requires_grad=True`, or the path to it was cut by "
        "`detach`, `no_grad`, `.item()` or a tensor built from numbers. When a gradient is differentiated again, it "
        "must have been computed with `create_graph=True`.",
    r"One of the differentiated Tensors does not require grad":
        "You differentiate with respect to a tensor that is not tracked. Set `requires_grad_()` on it before you "
        "compute with it.",
    r"grad can be implicitly created only for scalar outputs":
        "The output has several numbers, so PyTorch does not know how to weigh them. Reduce it to one number (`sum`), "
        "or pass `gradient=`, one weight for each entry.",
    r"Mismatch in shape: grad_output":
        "The weights passed to `backward` or `grad` must have the shape of the output, one weight for each entry.",
    r"appears? to not have been used in the graph":
        "The output does not depend on this input, so there is no path to walk. Is it the very tensor you computed "
        "with? If it may be unused, pass `allow_unused=True` (gives None) or `materialize_grads=True` (gives zeros).",
    r"[Oo]nly Tensors of floating point (and complex )?dtype can require gradients":
        "Whole numbers have no gradients, because they cannot be moved a little. Make the tensor with a floating "
        "dtype.",
    r"you can only change requires_grad flags of leaf variables":
        "`requires_grad` can be set on leaves only; this tensor was computed. Set the flag where the leaf is made, or "
        "`detach()` first.",
    r"can't optimize a non-leaf Tensor":
        "An optimiser updates leaves. This tensor was computed from others, so set `requires_grad` after the last "
        "operation on it.",
    r"deepcopy protocol":
        "Only leaves can be deep-copied; this tensor was computed. `detach().clone()` copies its values.",
    r"Can't call numpy\(\) on Tensor that requires grad":
        "NumPy does not record gradients. `detach()` first, for looking only: what NumPy computes is lost to "
        "`backward`.",
    r"Inference tensors cannot be saved for backward":
        "This tensor was made under `inference_mode` and can never take part in a recorded computation. Use `no_grad` "
        "there instead.",
    r"returned an incorrect number of gradients":
        "`backward` of a custom function returns one gradient for each argument of `forward`, None for those without "
        "one.",
    r"returned a gradient different than None at position":
        "`backward` of a custom function returned a gradient for an argument that is no tensor. Its returns stand in "
        "the order of `forward`'s arguments, None for those without a gradient.",
    r"returned nan values in its":
        "The first nan of the backward pass appears at this operation. Look at the values that go into it.",
    r"Jacobian mismatch":
        "The gradient that `backward` returns is not the one that finite differences measure: the derivative is wrong.",
    r"unsupported operand type\(s\) for \^|bitwise_xor":
        "In Python `^` is not a power: write `x**2` for the square.",
    r"'Tensor' object has no attribute '(next_functions|saved_tensors)'":
        "Nodes of a graph have this, tensors do not. The node of a tensor `y` is `y.grad_fn`.",
    r"'(method|builtin_function_or_method)'":
        "A method is used without being called: the brackets after its name are missing.",
    r"new\(\) received an invalid combination of arguments":
        "`torch.Tensor`, with a capital T, knows neither `dtype` nor `requires_grad`. Use `torch.tensor`.",
    r"got an unexpected keyword argument":
        "There is no argument of this name. Is it spelt right, as in `requires_grad` and `retain_graph`?",
    r"must be Tensor, not (float|int)|passed to transform API must be Tensor":
        "A plain number stands where PyTorch needs a tensor. Make one of it first.",
    r"Expected (primals|tangents) to be a tuple":
        "Points and directions go in as tuples, even if there is only one of each. A tuple of one needs a comma: "
        "`(a,)`.",
    r"'(float|int|numpy\.float64)' object has no attribute '(backward|grad|requires_grad_?|detach|item|grad_fn)'":
        "This is a plain number, not a tensor. Either no tensor was made of it, or `.item()` or `float()` has cut it "
        "off from the graph. Keep the tensor as long as you want gradients.",
    r"'(bool|Tensor)' object is not callable":
        "There are brackets after something that is no function. `.grad` and `requires_grad` are read without "
        "brackets; `requires_grad_()`, with the underscore, sets the flag. Or is a `*` missing before the bracket?",
    r"'\w*Backward\d*' object is not iterable":
        "A node is no list, so it cannot be taken apart. `node.next_functions` is the tuple of pairs to go through.",
    r"'tuple' object has no attribute '(name|next_functions|metadata)'":
        "Each of the `next_functions` is a pair, the next node and a number. Take the node out of it.",
    r"marked with @once_differentiable":
        "`once_differentiable` forbids the second derivative. Without it, what `backward` computes is differentiable.",
    r"can't allocate memory|not enough memory|[Ss]torage size calculation overflow":
        "That is more memory than there is. How many numbers does the tensor have?",
    r"'NoneType'|got NoneType":
        "Something here is None. A `.grad` is None before `backward` has run, after `zero_grad()`, and always on a "
        "tensor that is not a leaf. A function without `return` gives None too.",
    r"only integer tensors of a single element can be converted to an index|can't multiply sequence by non-int":
        "A tuple or a list stands where a tensor or a number is meant. `ctx.saved_tensors` is a tuple even if it holds "
        "one tensor only.",
    r"Backward' object has no attribute":
        "`ctx` has only what was put there on the way forward. Set this attribute there.",
    r"vmap: It looks like you're calling \.item\(\)":
        "Under `vmap` a tensor stands for many values at once, so it cannot become one number or decide an `if`. Use "
        "`torch.where`.",
    r"(cannot be converted to Scalar|only one element tensors can be converted)":
        "A tensor with several entries cannot become one number. Reduce it first, for example with `sum()`; to join "
        "tensors, use `torch.stack`; and for all entries at once use `torch.sin` or `torch.exp`, not those of `math`.",
    r"got tuple|'tuple' object has no attribute|'tuple' and|and 'tuple'":
        "Something here is a tuple. `torch.autograd.grad` always returns one, with a gradient for each input, even if "
        "there is one input only: take the tensor out of it.",
    r"Expected f\(\*args\) to return a scalar":
        "`torch.func.grad` differentiates functions that return one number, and this one returns several. Put "
        "`torch.func.vmap` around `grad`, over everything that has one row for each number; or use `jacrev`.",
    r"Boolean value of Tensor with more than one value is ambiguous":
        "An `if` needs one yes or no, and this tensor holds several. Decide entry by entry with `torch.where`.",
    r"mat1 and mat2 shapes cannot be multiplied|inconsistent tensor size|size mismatch, got input":
        "The sizes do not fit for a matrix product: the inner ones must be equal. Compare the shapes of the two "
        "factors.",
    r"Expected target size|Expected input batch_size":
        "`cross_entropy` wants one row of scores for each target. Flatten both: scores of shape (how many, classes), "
        "targets of shape (how many,).",
    r"The size of tensor a \(\d+\) must match the size of tensor b":
        "The two shapes do not fit together, not even by broadcasting. Compare them, dimension by dimension from the "
        "right.",
    r"(have the same dtype|expected scalar type|Found dtype)":
        "Two floating dtypes meet here. Make the new tensor with the dtype of the one you were given, for example by "
        "`torch.zeros_like(x)`.",
    r"missing \d+ required positional argument|takes (from )?\d+ (to \d+ )?positional arguments? but":
        "A function was called with the wrong number of arguments. Keep the parameters as they are in the stub.",
    r"name '\w+' is not defined":
        "A name is used that does not exist here. Is it spelt as you defined it, and is its import in the first cell?",
}  # fmt: skip


def in_plain_words(message: str) -> str:
    """What an error message means, or "" where the table has no entry for it."""
    return next((words for pattern, words in PLAIN_WORDS.items() if re.search(pattern, message)), "")
