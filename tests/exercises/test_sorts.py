"""An answer of the wrong sort hears which sort is asked for; an answer in an unusual form is understood."""

import pytest
import torch

from course_utils.exercises import (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
)
from course_utils.exercises.exercise import Exercise, Verdict
from course_utils.exercises.observe import Told
from course_utils.exercises.sorts import names_among, read_error, uncalled
from every_answer import ALL, over

PREDICTIONS = {name: it for name, it in ALL.items() if not callable(it.answer)}
NUMBERS = {name: it for name, it in PREDICTIONS.items() if torch.is_tensor(it._expected.get(""))}
CHOICES = {name: it for name, it in PREDICTIONS.items() if isinstance(it._expected.get(""), frozenset)}
FUNCTIONS = {name: it for name, it in ALL.items() if callable(it.answer)}


@pytest.mark.parametrize(
    "typed",
    [RuntimeError, RuntimeError("freed"), "RuntimeError", "an error", "Error", "exception", "raises", "crashes",
     ["error"], ValueError, "raises RuntimeError", "KeyError: 'a'", "a RuntimeError"],
)  # fmt: skip
def test_an_error_in_any_form_is_an_error(typed):
    assert read_error(typed) == "error"


@pytest.mark.parametrize("typed", ["first", "A", 3.0, ["a", "b"], int, None, "0", ["error", "a"], torch.exp])
def test_what_is_no_error(typed):
    assert read_error(typed) is typed


@over(NUMBERS)
@pytest.mark.parametrize("typed", ["error", "RuntimeError", RuntimeError, ValueError("no")])
def test_an_error_for_a_number_is_answered(exercise, typed):
    foreseen = {str(wrong): message for wrong, message in exercise.mistakes if isinstance(wrong, str)}
    message = exercise.grade(typed).message
    assert message == foreseen.get("error", message)
    assert "error" in foreseen or ("No error comes here" in message and "asked for" in message)


@over(CHOICES)
@pytest.mark.parametrize("typed", [3, 2.0, True, [True, False], "error", RuntimeError, None, torch.ones(2), {"a": 1}])
def test_other_things_for_names_are_told_that_names_are_asked_for(exercise, typed):
    message = exercise.grade(typed).message
    assert "one or more of `" in message and "times" not in message


@over(FUNCTIONS)
@pytest.mark.parametrize("typed", [3.0, None, "slope", [1.0], torch.ones(2)])
def test_other_things_for_a_function_are_told_what_to_pass(exercise, typed):
    name = exercise.answer.__name__
    message = exercise.grade(typed).message
    assert "Pass the " in message and f"`check({name})`" in message
    assert ("quotation marks" in message) == (typed == "slope" if isinstance(typed, str) else False)


class Net(torch.nn.Module):
    pass


@over({name: it for name, it in FUNCTIONS.items() if not isinstance(it.answer, type)})
def test_a_class_for_a_function_is_told_so(exercise):
    assert "you passed the class `Net`" in exercise.grade(Net).message


@pytest.mark.parametrize(
    ("options", "typed", "read"),
    [
        ("ABC", "AC", {"a", "c"}), ("ABC", "a, c", {"a", "c"}), ("ABC", ["A", "C"], {"a", "c"}),
        ("ABC", "A and C", {"a", "c"}), ("ABC", ["AC"], {"a", "c"}), ("ABC", {"A.grad"}, {"a"}), ("ABC", "none", set()),
        ("ABC", [], set()), ("ABC", "all", {"a", "b", "c"}), ("ABC", "b or c", {"b", "c"}),
        ("ABC", "(A; C)", {"a", "c"}),
        (["exp", "log"], [torch.exp], {"exp"}), (["exp", "log"], "torch.log()", {"log"}),
        (["exp", "log"], torch.log, {"log"}), (["none", "A"], "none", {"none"}),
        (["BatchNorm1d", "Dropout"], "Batch Norm, dropout", {"batchnorm1d", "dropout"}),
        (["BatchNorm1d", "Dropout"], [torch.nn.BatchNorm1d, "nn.Dropout"], {"batchnorm1d", "dropout"}),
        (["BatchNorm1d", "Dropout"], torch.nn.Dropout(), {"dropout"}),
        (["BatchNorm1d", "Dropout"], "batch norm 1d", {"batchnorm1d"}),
    ],
)  # fmt: skip
def test_names_in_any_form(options, typed, read):
    found = names_among(*options)(typed)
    assert found == read


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("AD", "`ad` is none of the names"), (3, "holds a number"), ([True, False, True], "holds True or False"),
        ([torch.ones(1)], "a tensor itself"), ({"a": 1}, "a dictionary"), (None, "None"), ("RuntimeError", "none of"),
        (lambda: 1, "none of the names"), (object(), "of type `object`"),
    ],
)  # fmt: skip
def test_what_are_no_names(typed, says):
    told = names_among("A", "B", "C")(typed)
    assert isinstance(told, Told) and says in told.text and '`"A"`, `"B"`, `"C"`' in told.text


def forgets(y, optimizer):
    optimizer.zero_grad  # noqa: B018
    if y.requires_grad:
        y.backward  # noqa: B018
    return [part.detach for part in y]


def test_methods_without_brackets():
    assert uncalled(forgets) == ["zero_grad", "backward"]
    assert uncalled(lambda y: y.backward()) == uncalled(lambda y: y.grad) == uncalled(3) == []


def test_a_set_for_a_list_is_told_that_it_has_no_order():
    it = Exercise("What?", [1.0, 2.0], hints=["look", "look closer"])
    assert "A set has no order" in it.grade({1.0, 2.0}).message


def gradient_at(x):
    x = torch.tensor(float(x), requires_grad=True)
    y = 3 * x**2
    y.backward  # noqa: B018
    return x.grad


def efficient_adam(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
    rate = lr * (1 - b2**step) ** 0.5 / (1 - b1**step)
    return p - rate * m / (v**0.5 + eps), m, v


def decaying_adam(p, g, m, v, step, lr, b1, b2, eps):
    return lesson_07.adam_step.answer(p, g + 0.1 * p, m, v, step, lr, b1, b2, eps)


def nodes_by_adding(y):
    todo, found = [y.grad_fn], []
    while todo:
        node = todo.pop()
        found.append(node.name())
        todo += node.next_functions
    return found


def with_dropout(points, labels):
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Dropout(0.2), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    lesson_07.train_step.answer(net, torch.optim.Adam(net.parameters()), torch.nn.MSELoss(), points, labels[:, None])
    return net


def with_two_classes(points, labels):
    net = torch.nn.Linear(2, 2)
    loss = torch.nn.CrossEntropyLoss()
    lesson_07.train_step.answer(net, torch.optim.SGD(net.parameters(), lr=1.0), loss, points, labels.long())
    return net


class OnceDifferentiable(lesson_09.ScaledExp):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return upstream * ctx.k * y, None


def brackets(f, x, y):
    x, y = torch.tensor([x], requires_grad=True), torch.tensor([y], requires_grad=True)
    return torch.autograd.grad(f(x, y), (x, y), materialize_grads=True)


def weighed(f, x, v):
    (f(x) * v).sum().backward()


def grad_in_the_loop(f, x, n):
    y, x = f(torch.tensor(x)), torch.tensor(x)
    for _ in range(n):
        y = torch.func.grad(f)(x)
    return y


BESIDE_THE_POINT = [  # FINDINGS.md, 4
    (lesson_02.diamond, lambda x: (x**2 * torch.sin(x**2)).backward(), "You ask autograd"),
    (lesson_02.diamond, lambda x: (torch.sin(x**2) + x**2 * torch.cos(x**2)) * 2 * x**2, "twice the value itself"),
    (lesson_02.diamond, lambda x: (torch.sin(2 * x) + 2 * x * torch.cos(2 * x)) * 2 * x, "*derivative*, $2x$"),
    (lesson_02.diamond, lambda x: (torch.sin(x**2) + x**2 * torch.cos(x**2)) * 2, "not 2 everywhere"),
    (lesson_02.slope, lambda f, x: f(x).backward(), "`backward()` itself returns nothing"),
    (lesson_03.partials, brackets, "one *entry*"),
    (lesson_02.graph_nodes, nodes_by_adding, "is a pair"),
    (lesson_03.max_tie, "error", "No error comes here"),
    (lesson_05.piles_up, "error", "No error comes here"),
    (lesson_02.backward_twice, "RuntimeError", "a second is allowed"),
    (lesson_04.jvp, weighed, "it returns nothing"),
    (lesson_05.nth_derivative, grad_in_the_loop, "Replace the *function*"),
    (lesson_03.central_difference, lambda f, x, h: (f(x + h) - f(x)) / (2 * h), "Half the slope"),
    (lesson_00.gradient_at, gradient_at, "`backward` is named in a line of your code and not called"),
    (lesson_07.adam_step, efficient_adam, "short form"),
    (lesson_07.adam_step, decaying_adam, "the step is the same wherever `p` stands"),
    (lesson_07.classifier, with_dropout, "`net.eval()`"),
    (lesson_07.classifier, with_two_classes, "two scores for each point"),
    (lesson_09.scaled_exp, OnceDifferentiable, "`once_differentiable`"),
]


@pytest.mark.parametrize(("exercise", "answer", "says"), BESIDE_THE_POINT)
def test_what_was_answered_beside_the_point(exercise, answer, says):
    verdict = exercise.grade(answer)
    assert verdict.status == "wrong" and says in verdict.message


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (lesson_01.which_learn, "AEG"),
        (lesson_04.joined, "BCE"),
        (lesson_08.inplace_predict, [torch.exp, torch.tanh, torch.sqrt]),
        (lesson_06.accumulation_layers, "Batch Norm and Dropout"),
        (lesson_06.accumulation_layers, [torch.nn.BatchNorm1d, torch.nn.Dropout]),
    ],
)
def test_what_was_right_in_another_form(exercise, answer):
    assert exercise.grade(answer) == Verdict("right")
