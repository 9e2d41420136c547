// GLFW, OpenGL and Dear ImGui, shared by the page and the desktop.
#pragma once

#include <functional>
#include <string>

#include "app/app.h"

struct GLFWwindow;

namespace dalea::app {

class Window {
 public:
  // Pixels. `hidden`: draws, but is not shown. Throws std::runtime_error with a remedy when there is no OpenGL.
  Window(const char* title, int width, int height, bool hidden);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // Pixels per unit of the design; remakes the fonts when it changed.
  void set_scale(float scale);
  // One frame: `size` in pixels; `more` draws after the app.
  void draw(App& app, ImVec2 size, const std::function<void()>& more = {});
  ImTextureID texture(ImTextureID old, int width, int height, const uint32_t* rgba, bool crisp);
  // After the graphics context was lost and given back.
  void remake_graphics();
  GLFWwindow* handle() const { return window_; }

 private:
  GLFWwindow* window_ = nullptr;
  float scale_ = 0;
};

}  // namespace dalea::app
