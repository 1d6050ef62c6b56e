import readme_picture


def test_the_readme_shows_what_draw_graph_draws_now():
    assert readme_picture.PLACE.read_text(encoding="utf-8") == readme_picture.draw().svg


def test_the_readme_tells_the_gradients_of_the_picture():
    readme = (readme_picture.PLACE.parent.parent / "README.md").read_text(encoding="utf-8")
    assert "![The graph of z = x² + y³ at (2, 3), with the gradients 4 and 27" in readme
    assert "x = 4.00, y = 27.00" in readme_picture.draw().description
